/* The optimizers: values, or rows, shared by the threads. */
#include <stdlib.h>
#include <string.h>

#include "pool.h"
#include "sets.h"

enum { LINE = 16, SHARES_OF_ONE = 4, LEAST_SHARE = 1 << 14 };

struct update {
    const struct kz_variable *variables;
    int count;
    enum kz_rule kind;
    const void *rule;
    int32_t **first, **next; /* of each variable with indices: each row's first position, each position's next, or -1 */
    float *room;             /* two rows for each thread */
    long widest;
};

/* Rows with a gradient one by one, those without together. A position's gradient is squared before it is summed. */
static void update_rows(const struct update *u, int which, long from, long to, float *sum, float *squares) {
    const struct kz_variable *v = u->variables + which;
    const int32_t *first = u->first[which], *next = u->next[which];
    long width = v->width;
    for (long row = from; row < to; row++) {
        long start = row;
        while (row < to && first[row] < 0) row++;
        if (row > start) kz_set()->update(u->kind, (row - start) * width, NULL, NULL, v, start * width, u->rule);
        if (row == to) break;
        kz_set()->sum_positions(v->gradient, width, first[row], next, sum, squares);
        kz_set()->update(u->kind, width, sum, squares, v, row * width, u->rule);
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
            if (to > from) kz_set()->update(u->kind, to - from, v->gradient + from, NULL, v, from, u->rule);
        }
    }
}

/* Several shares for each thread, since one that is late should not keep the others waiting; one in all of a few values. */
static int count_shares(const struct update *u) {
    long values = 0;
    for (int i = 0; i < u->count; i++) values += u->variables[i].count;
    long most = SHARES_OF_ONE * kz_threads(), shares = 1 + values / LEAST_SHARE;
    return shares < most ? shares : most;
}

static int update(struct update *u) {
    size_t links = 0;
    int shares = count_shares(u);
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
    struct update u = {.variables = variables, .count = count, .kind = KZ_ADAM, .rule = adam};
    return update(&u);
}

int kz_rmsprop(const struct kz_variable *variables, int count, const struct kz_rmsprop *rmsprop) {
    struct update u = {.variables = variables, .count = count, .kind = KZ_RMSPROP, .rule = rmsprop};
    return update(&u);
}

int kz_sgd(const struct kz_variable *variables, int count, const struct kz_sgd *sgd) {
    struct update u = {.variables = variables, .count = count, .kind = KZ_SGD, .rule = sgd};
    return update(&u);
}
