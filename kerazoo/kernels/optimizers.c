/* The optimizers: values, or rows, shared by the threads. */
#include <stdlib.h>
#include <string.h>

#include "pool.h"
#include "sets.h"

enum { LINE = 16 };

struct update {
    const struct kz_variable *variables;
    int count;
    const void *rule;
    void (*values)(long n, const float *gradient, const float *squares, const struct kz_variable *v, long at,
                   const void *rule);
    int32_t **first, **next; /* of each variable with indices: each row's first position, each position's next, or -1 */
    float *room;             /* two rows for each thread */
    long widest;
};

static void adam_values(long n, const float *gradient, const float *squares, const struct kz_variable *v, long at,
                        const void *rule) {
    kz_set()->adam(n, gradient, squares, v, at, rule);
}

/* Rows with a gradient one by one, those without together. A position's gradient is squared before it is summed. */
static void update_rows(const struct update *u, int which, long from, long to, float *sum, float *squares) {
    const struct kz_variable *v = u->variables + which;
    const int32_t *first = u->first[which], *next = u->next[which];
    long width = v->width;
    for (long row = from; row < to;) {
        long end = row;
        while (end < to && first[end] < 0) end++;
        if (end > row) u->values((end - row) * width, NULL, NULL, v, row * width, u->rule);
        if (end == to) break;
        memset(sum, 0, width * sizeof(float)), memset(squares, 0, width * sizeof(float));
        for (int32_t k = first[end]; k >= 0; k = next[k]) {
            const float *g = v->gradient + k * width;
            for (long j = 0; j < width; j++) sum[j] += g[j], squares[j] += g[j] * g[j];
        }
        u->values(width, sum, squares, v, end * width, u->rule);
        row = end + 1;
    }
}

static void update_share(void *work, int share, int shares) {
    const struct update *u = work;
    float *room = u->room + 2 * share * u->widest;
    for (int i = 0; i < u->count; i++) {
        const struct kz_variable *v = u->variables + i;
        if (v->indices) {
            update_rows(u, i, kz_from(v->rows, share, shares), kz_from(v->rows, share + 1, shares), room, room + u->widest);
        } else { /* whole lines of the cache for each thread */
            long parts = (v->count + LINE - 1) / LINE, from = kz_from(parts, share, shares) * LINE;
            long to = kz_from(parts, share + 1, shares) * LINE;
            to = to < v->count ? to : v->count;
            if (to > from) u->values(to - from, v->gradient + from, NULL, v, from, u->rule);
        }
    }
}

static int update(struct update *u) {
    size_t links = 0;
    int shares = kz_threads();
    for (int i = 0; i < u->count; i++)
        if (u->variables[i].indices) {
            links += u->variables[i].rows + u->variables[i].positions;
            if (u->variables[i].width > u->widest) u->widest = u->variables[i].width;
        }
    u->widest = (u->widest + LINE - 1) / LINE * LINE;
    float *all = kz_borrow(2 * shares * u->widest + links + 4 * u->count + 2);
    if (!all) return -1;
    u->first = (int32_t **)all, u->next = u->first + u->count;
    u->room = all + 4 * u->count;
    int32_t *free_links = (int32_t *)(u->room + 2 * shares * u->widest);
    for (int i = 0; i < u->count; i++) {
        const struct kz_variable *v = u->variables + i;
        if (!v->indices) continue;
        int32_t *first = u->first[i] = free_links, *next = u->next[i] = first + v->rows;
        free_links = next + v->positions;
        memset(first, 0xff, v->rows * sizeof *first);
        for (long k = v->positions - 1; k >= 0; k--) next[k] = first[v->indices[k]], first[v->indices[k]] = (int32_t)k;
    }
    kz_share(update_share, u, shares);
    kz_give_back(all);
    return 0;
}

int kz_adam(const struct kz_variable *variables, int count, const struct kz_adam *adam) {
    struct update u = {.variables = variables, .count = count, .rule = adam, .values = adam_values};
    return update(&u);
}
