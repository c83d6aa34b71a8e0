/* The LSTM as a whole: what is shared by the threads, in which order. */
#include <stdlib.h>
#include <string.h>

#include "pool.h"
#include "sets.h"

long kz_padded(long units) {
    long width = 2 * 16; /* one padding for all instruction sets */
    return (units + width - 1) / width * width;
}

/* A list of the distinct tokens by their first position, (T, B), and each position's place in it. */
static int find_distinct(const struct kz_lstm *l) {
    long S = l->steps * l->batch;
    int32_t *rows = l->lookup, *distinct = rows + S, *place = (int32_t *)kz_borrow(l->rows);
    if (!place) return -1;
    int32_t n = 0;
    memset(place, 0xff, l->rows * sizeof *place);
    for (long t = 0; t < l->steps; t++)
        for (long b = 0; b < l->batch; b++) {
            int32_t token = l->tokens[b * l->steps + (l->backwards ? l->steps - 1 - t : t)];
            if (place[token] < 0) place[token] = n, distinct[n++] = token;
            rows[t * l->batch + b] = place[token];
        }
    distinct[S] = n;
    kz_give_back((float *)place);
    return 0;
}

/* The rows that are multiplied by the kernel: distinct rows of the table, or each position's inputs in the order (T, B). */
static void list_inputs(const struct kz_lstm *l, const float **list) {
    long S = l->steps * l->batch;
    if (l->tokens) {
        const int32_t *distinct = l->lookup + S;
        for (long i = 0; i < distinct[S]; i++) list[i] = l->table + distinct[i] * l->inputs_width;
        return;
    }
    for (long t = 0; t < l->steps; t++)
        for (long b = 0; b < l->batch; b++)
            list[t * l->batch + b] =
                l->inputs + (b * l->steps + (l->backwards ? l->steps - 1 - t : t)) * l->inputs_width;
}

struct forward {
    const struct kz_lstm *lstm;
    float *outputs, *last_h, *last_c;
    const float **x;
    long rows;
    float *kernel, *recurrent, *bias, *projected, *room;
    long room_of_one;
};

static void pack_weights(void *work, int share, int shares) {
    struct forward *f = work;
    const struct kz_lstm *l = f->lstm;
    long width = kz_set()->width, P = kz_padded(l->units), panels = 4 * P / width;
    long from = kz_from(panels, share, shares) * width, to = kz_from(panels, share + 1, shares) * width;
    kz_set()->pack(l->inputs_width, l->units, l->kernel, f->kernel, from, to);
    kz_set()->pack(l->units, l->units, l->recurrent, f->recurrent, from, to);
    if (l->bias) kz_set()->pack(1, l->units, l->bias, f->bias, from, to);
}

static void project(void *work, int share, int shares) {
    struct forward *f = work;
    long G = 4 * kz_padded(f->lstm->units), from = kz_from(f->rows, share, shares);
    kz_set()->project(kz_from(f->rows, share + 1, shares) - from, f->lstm->inputs_width, G, f->x + from, f->kernel,
                      f->lstm->bias ? f->bias : NULL, f->projected + from * G, f->room + share * f->room_of_one);
}

static void steps(void *work, int share, int shares) {
    struct forward *f = work;
    long B = f->lstm->batch;
    kz_set()->steps(f->lstm, f->projected, f->recurrent, f->outputs, f->last_h, f->last_c,
                    f->room + share * f->room_of_one, kz_from(B, share, shares), kz_from(B, share + 1, shares));
}

static long largest(long a, long b) { return a > b ? a : b; }
static long lines(long floats) { return (floats + 15) / 16 * 16; } /* whole lines of the cache */

int kz_lstm_forward(const struct kz_lstm *lstm, float *outputs, float *last_h, float *last_c) {
    long S = lstm->steps * lstm->batch, D = lstm->inputs_width, P = kz_padded(lstm->units), G = 4 * P;
    int shares = kz_threads();
    struct kz_lstm l = *lstm;
    int32_t *own_lookup = NULL;
    if (l.tokens && !l.lookup) l.lookup = own_lookup = (int32_t *)kz_borrow(2 * S + 1);
    if (l.tokens && (!l.lookup || find_distinct(&l))) return kz_give_back((float *)own_lookup), -1;
    long rows = l.tokens ? l.lookup[2 * S] : S, room = lines(largest(kz_room_to_project(D), kz_room_for_steps(P)));
    struct forward f = {&l, outputs, last_h, last_c, .rows = rows, .room_of_one = room};
    /* Where there is a row for each position, the gates may take its place. */
    int in_place = !l.tokens && l.gates;
    float *all = kz_borrow(D * G + P * G + G + (in_place ? 0 : rows * G) + shares * room + 2 * rows);
    if (!all) return kz_give_back((float *)own_lookup), -1;
    f.kernel = all, f.recurrent = f.kernel + D * G, f.bias = f.recurrent + P * G, f.room = f.bias + G;
    f.x = (const float **)(f.room + shares * room);
    f.projected = in_place ? l.gates : (float *)(f.x + rows);
    list_inputs(&l, f.x);
    kz_share(pack_weights, &f, shares);
    kz_share(project, &f, shares);
    kz_share(steps, &f, shares);
    kz_give_back(all);
    kz_give_back((float *)own_lookup);
    return 0;
}

struct backward {
    const struct kz_lstm *lstm;
    const struct kz_lstm_gradients *d;
    const float **x, **h; /* the rows that dz, or its sums, are multiplied by */
    long rows;
    float *kernel, *recurrent, *sums, *room;
    float *d_kernel, *d_recurrent, *d_bias; /* with padding */
    long room_of_one;
};

static void pack_weights_transposed(void *work, int share, int shares) {
    struct backward *k = work;
    const struct kz_lstm *l = k->lstm;
    long width = kz_set()->width, P = kz_padded(l->units), panels = P / width, more = (l->inputs_width + width - 1) / width;
    kz_set()->pack_transposed(l->units, l->units, l->recurrent, k->recurrent, kz_from(panels, share, shares) * width,
                              kz_from(panels, share + 1, shares) * width);
    kz_set()->pack_transposed(l->inputs_width, l->units, l->kernel, k->kernel, kz_from(more, share, shares) * width,
                              kz_from(more, share + 1, shares) * width);
}

static void steps_back(void *work, int share, int shares) {
    struct backward *k = work;
    long B = k->lstm->batch;
    kz_set()->steps_back(k->lstm, k->d, k->recurrent, k->d->d_gates, k->room + share * k->room_of_one, kz_from(B, share, shares),
                         kz_from(B, share + 1, shares));
}

/* Adds dz up for each distinct token, columns `from` to `to`. */
static void sum_by_token(const struct backward *k, long G, long from, long to) {
    long S = k->lstm->steps * k->lstm->batch;
    for (long i = 0; i < k->rows; i++) memset(k->sums + i * G + from, 0, (to - from) * sizeof(float));
    kz_set()->add_rows(S, k->lstm->lookup, to - from, G, k->d->d_gates + from, k->sums + from);
}

/* The gradients of the weights, by columns. */
static void weights_back(void *work, int share, int shares) {
    struct backward *k = work;
    const struct kz_lstm *l = k->lstm;
    long S = l->steps * l->batch, D = l->inputs_width, H = l->units, G = 4 * kz_padded(H), width = kz_set()->width;
    long from = kz_from(G / width, share, shares) * width, to = kz_from(G / width, share + 1, shares) * width;
    if (from == to) return;
    float *room = k->room + share * k->room_of_one;
    memset(k->d_bias + from, 0, (to - from) * sizeof(float));
    for (long i = 0; i < H; i++) memset(k->d_recurrent + i * G + from, 0, (to - from) * sizeof(float));
    for (long i = 0; i < D; i++) memset(k->d_kernel + i * G + from, 0, (to - from) * sizeof(float));
    kz_set()->add_outer(H, to - from, S, k->h, k->d->d_gates + from, G, k->d_recurrent + from, G, k->d_bias + from, room);
    if (l->tokens) sum_by_token(k, G, from, to);
    kz_set()->add_outer(D, to - from, k->rows, k->x, (l->tokens ? k->sums : k->d->d_gates) + from, G, k->d_kernel + from, G, NULL,
                        room);
}

/* The gradients of the inputs, by examples. */
static void inputs_back(void *work, int share, int shares) {
    struct backward *k = work;
    const struct kz_lstm *l = k->lstm;
    long B = l->batch, T = l->steps, D = l->inputs_width, G = 4 * kz_padded(l->units), width = kz_set()->width;
    long wide = (D + width - 1) / width * width, first = kz_from(B, share, shares), last = kz_from(B, share + 1, shares);
    float *room = k->room + share * k->room_of_one;
    for (long t = 0; t < T; t++)
        for (long b = first; b < last; b += CHUNK) {
            long n = last - b < CHUNK ? last - b : CHUNK, row = T * D;
            float *to = k->d->d_inputs + (b * T + (l->backwards ? T - 1 - t : t)) * D;
            if (D == wide) {
                kz_set()->product(n, D, G, k->d->d_gates + (t * B + b) * G, G, k->kernel, to, row, NULL);
                continue;
            }
            kz_set()->product(n, wide, G, k->d->d_gates + (t * B + b) * G, G, k->kernel, room, wide, NULL);
            for (long i = 0; i < n; i++) memcpy(to + i * row, room + i * wide, D * sizeof(float));
        }
}

/* Weights (n, 4H) of padded ones. */
static void without_padding(long n, long units, const float *padded, float *out) {
    long P = kz_padded(units);
    if (padded == out) return;
    for (long i = 0; i < 4 * n; i++) memcpy(out + i * units, padded + i * P, units * sizeof(float));
}

int kz_lstm_backward(const struct kz_lstm *l, const struct kz_lstm_gradients *d) {
    long B = l->batch, S = l->steps * B, D = l->inputs_width, H = l->units, P = kz_padded(H), G = 4 * P;
    long width = kz_set()->width, wide = (D + width - 1) / width * width, rows = l->tokens ? l->lookup[2 * S] : S;
    long room = lines(largest(largest(kz_room_for_outer(H, width), kz_room_for_outer(D, width)),
                              largest(kz_room_for_steps(P), CHUNK * wide)));
    int padded = P != H, shares = kz_threads();
    struct backward k = {l, d, .rows = rows, .room_of_one = room};
    float *all = kz_borrow(wide * G + P * G + (l->tokens ? rows * G : 0) + shares * room + G +
                           (padded ? (H + D) * G : 0) + 2 * (rows + S));
    if (!all) return -1;
    k.kernel = all, k.recurrent = k.kernel + wide * G, k.sums = k.recurrent + P * G;
    k.room = k.sums + (l->tokens ? rows * G : 0), k.d_bias = k.room + shares * room;
    k.d_kernel = padded ? k.d_bias + G : d->d_kernel, k.d_recurrent = padded ? k.d_kernel + D * G : d->d_recurrent;
    k.x = (const float **)(k.d_bias + G + (padded ? (H + D) * G : 0)), k.h = k.x + rows;
    list_inputs(l, k.x);
    for (long i = 0; i < S; i++) k.h[i] = i < B ? l->h + i * H : l->hidden + (i - B) * P;
    kz_share(pack_weights_transposed, &k, shares);
    kz_share(steps_back, &k, shares);
    kz_share(weights_back, &k, shares);
    kz_share(inputs_back, &k, shares);
    without_padding(D, H, k.d_kernel, d->d_kernel);
    without_padding(H, H, k.d_recurrent, d->d_recurrent);
    if (d->d_bias) without_padding(1, H, k.d_bias, d->d_bias);
    kz_give_back(all);
    return 0;
}
