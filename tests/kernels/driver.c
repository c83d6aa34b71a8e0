/* Runs every kernel over odd shapes, with memory of exactly the size that each needs, for a sanitizer to watch; and in
 * two threads at once, and in a forked child. Exits with 0 where all of them give the same numbers every time. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernels.h"
#include "pool.h"

enum { MOST = 32 };
struct memory { void *all[MOST]; int count; unsigned seed; };

static float *numbers(struct memory *m, long count) {
    float *x = malloc(count * sizeof *x);
    for (long i = 0; i < count; i++) x[i] = (int)(m->seed = m->seed * 1664525u + 1013904223u) / 4e9f;
    return m->all[m->count++] = x;
}

static int32_t *places(struct memory *m, long count, long limit) {
    int32_t *x = malloc(count * sizeof *x);
    for (long i = 0; i < count; i++) x[i] = ((m->seed = m->seed * 1664525u + 1013904223u) >> 8) % limit;
    return m->all[m->count++] = x;
}

static double end(struct memory *m, double sum) {
    while (m->count) free(m->all[--m->count]);
    return isfinite(sum) ? sum : 0;
}

static double total(const float *x, long count) {
    double sum = 0;
    for (long i = 0; i < count; i++) sum += x[i] * (i % 7 + 1);
    return sum;
}

static double lstm(long B, long T, long D, long H, int lookup, int backwards, int sequences, int bias) {
    struct memory m = {.seed = 1};
    long V = 11, P = kz_padded(H), S = B * T;
    struct kz_lstm l = {.batch = B, .steps = T, .inputs_width = D, .units = H, .backwards = backwards};
    if (lookup) l.rows = V, l.table = numbers(&m, V * D), l.tokens = places(&m, S, V), l.lookup = places(&m, 2 * S + 1, 1);
    else l.inputs = numbers(&m, S * D);
    l.kernel = numbers(&m, D * 4 * H), l.recurrent = numbers(&m, H * 4 * H), l.bias = bias ? numbers(&m, 4 * H) : NULL;
    l.h = numbers(&m, B * H), l.c = numbers(&m, B * H);
    float *outputs = sequences ? numbers(&m, S * H) : NULL, *h = numbers(&m, B * H), *c = numbers(&m, B * H);
    struct kz_lstm inference = l;
    inference.lookup = NULL;
    if (kz_lstm_forward(&inference, outputs, h, c)) return 0;
    double sum = total(h, B * H);
    l.gates = numbers(&m, S * 4 * P), l.cells = numbers(&m, S * P), l.hidden = numbers(&m, S * P);
    if (kz_lstm_forward(&l, outputs, h, c) || total(h, B * H) != sum) return 0;
    struct kz_lstm_gradients d = {outputs, h, c, numbers(&m, S * D), numbers(&m, D * 4 * H), numbers(&m, H * 4 * H),
                                  bias ? numbers(&m, 4 * H) : NULL, numbers(&m, B * H), numbers(&m, B * H),
                                  backwards ? l.gates : numbers(&m, S * 4 * P)};
    if (kz_lstm_backward(&l, &d)) return 0;
    sum += total(d.d_inputs, S * D) + total(d.d_kernel, D * 4 * H) + total(d.d_recurrent, H * 4 * H);
    sum += total(d.d_h, B * H) + total(d.d_c, B * H) + (bias ? total(d.d_bias, 4 * H) : 0);
    return end(&m, sum);
}

static struct kz_variable variable(struct memory *m, long rows, long width, long positions) {
    long n = rows * width;
    struct kz_variable v = {.count = n, .value = numbers(m, n), .first = numbers(m, n), .second = numbers(m, n)};
    v.new_value = numbers(m, n), v.new_first = (float *)v.first, v.new_second = (float *)v.second;
    for (long i = 0; i < n; i++) v.new_second[i] = v.second[i] * v.second[i];
    v.gradient = numbers(m, positions ? positions * width : n);
    if (positions) v.rows = rows, v.width = width, v.positions = positions, v.indices = places(m, positions, rows);
    return v;
}

static double optimizers(long rows, long width, long positions) {
    struct memory m = {.seed = 2};
    double sum = 0;
    struct kz_adam adam = {0.01f, 0.1f, 0.001f, 1e-7f};
    struct kz_rmsprop rmsprop = {0.01f, 0.9f, 0.1f, 0, 1e-7f};
    struct kz_sgd sgd = {0.01f, 0.9f, 1};
    for (int kind = 0; kind < 3; kind++) {
        struct kz_variable v[2] = {variable(&m, rows, width, positions), variable(&m, 1, width, 0)};
        if (kind == 1) v[0].first = v[0].second, v[0].new_first = v[0].new_second, v[0].second = NULL; /* positive */
        if (kind == 1) v[1].first = v[1].second, v[1].new_first = v[1].new_second, v[1].second = NULL;
        if (kind == 2) v[0].second = v[1].second = NULL;
        if (kind == 0 ? kz_adam(v, 2, &adam) : kind == 1 ? kz_rmsprop(v, 2, &rmsprop) : kz_sgd(v, 2, &sgd)) return 0;
        sum += total(v[0].new_value, v[0].count) + total(v[1].new_value, v[1].count) + total(v[0].new_first, v[0].count);
        sum = end(&m, sum);
    }
    return sum;
}

static double everything(void) {
    long sizes[] = {1, 2, 7, 33, 64}, batches[] = {1, 3, 49, 100};
    double sum = 0;
    for (int b = 0; b < 4; b++)
        for (int d = 0; d < 5; d++)
            for (int h = 0; h < 5; h++) {
                int k = b + d + h;
                double one = lstm(batches[b], 1 + k % 4, sizes[d], sizes[h], k % 2, k / 2 % 2, k / 3 % 2, k % 3 > 0);
                if (one == 0) return 0;
                sum += one;
            }
    for (int d = 0; d < 5; d++) sum += optimizers(sizes[d], sizes[4 - d], 0) + optimizers(sizes[d], sizes[4 - d], 20);
    return sum;
}

static void *in_a_thread(void *result) {
    *(double *)result = everything();
    return NULL;
}

int main(int count, char **arguments) {
    if (count > 1 && !kz_use(arguments[1])) return printf("the processor has no %s\n", arguments[1]), 0;
    if (!kz_instructions()) return puts("the processor has no AVX2"), 0;
    for (int threads = 1; threads < 6; threads += 2) {
        kz_set_threads(threads);
        double expected = everything(), again[2];
        pthread_t two[2];
        for (int k = 0; k < 2; k++) pthread_create(two + k, NULL, in_a_thread, again + k);
        for (int k = 0; k < 2; k++) pthread_join(two[k], NULL);
        pid_t child = fork();
        if (!child) _exit(everything() != expected);
        int status = 1;
        waitpid(child, &status, 0);
        printf("%s, %d threads: %.9g\n", kz_instructions(), threads, expected);
        if (expected == 0 || again[0] != expected || again[1] != expected || status) return 1;
    }
    return 0;
}
