/* The optimizers' arithmetic, operation by operation that of Keras. Included once per instruction set. */

/* One vector of a variable: from its gradient and the squares of that to its new value and states. */
INLINE floats NAME(adam_vector)(floats g, floats square, floats p, floats *m, floats *v, const struct kz_adam *a) {
    *m += (g - *m) * a->rest_1;
    *v += (square - *v) * a->rest_2;
    return p - *m * a->alpha / (SQRT(*v) + a->epsilon);
}

INLINE floats NAME(rmsprop_vector)(floats g, floats square, floats p, floats *v, floats *m, const struct kz_rmsprop *r) {
    *v = r->rho * *v + r->rest * square;
    floats change = r->rate * g / SQRT(*v + r->epsilon);
    if (r->momentum > 0) change = *m = r->momentum * *m + change;
    return p - change;
}

INLINE floats NAME(sgd_vector)(floats g, floats p, floats *m, const struct kz_sgd *s) {
    if (s->momentum == 0) return p - g * s->rate;
    *m = *m * s->momentum - g * s->rate;
    if (s->nesterov) return p + (*m * s->momentum - g * s->rate);
    return p + *m;
}

INLINE floats NAME(rule_vector)(enum kz_rule kind, floats g, floats square, floats p, floats *first, floats *second,
                                const void *rule) {
    switch (kind) {
        case KZ_ADAM: return NAME(adam_vector)(g, square, p, first, second, rule);
        case KZ_RMSPROP: return NAME(rmsprop_vector)(g, square, p, first, second, rule);
        default: return NAME(sgd_vector)(g, p, first, rule);
    }
}

/* Whether results go past the cache: they are new memory, and too large to stay there until the next step. */
static int NAME(is_streamed)(const struct kz_variable *x, long at) {
    const float *results[] = {x->new_value, x->new_first, x->new_second}, *old[] = {x->value, x->first, x->second};
    if (x->count < STREAMED) return 0;
    for (int i = 0; i < 3; i++)
        if (results[i] && (results[i] == old[i] || (uintptr_t)(results[i] + at) % (LANES * sizeof(float)))) return 0;
    return 1;
}

INLINE void NAME(put)(float *to, floats x, int streamed) {
    if (streamed) STREAM(to, x);
    else store(to, x);
}

/* Values `at` to at + n of variable x. No gradient: 0. No squares: those of the gradient. */
INLINE void NAME(values)(enum kz_rule kind, int streamed, long n, const float *gradient, const float *squares,
                         const struct kz_variable *x, long at, const void *rule) {
    long j = 0, k = at;
    for (; j + LANES <= n; j += LANES, k += LANES) {
        floats g = gradient ? load(gradient + j) : (floats){0}, square = g * g, first = {0}, second = {0};
        if (squares) square = load(squares + j);
        if (x->first) first = load(x->first + k);
        if (x->second) second = load(x->second + k);
        floats p = NAME(rule_vector)(kind, g, square, load(x->value + k), &first, &second, rule);
        NAME(put)(x->new_value + k, p, streamed);
        if (x->first) NAME(put)(x->new_first + k, first, streamed);
        if (x->second) NAME(put)(x->new_second + k, second, streamed);
    }
    if ((n -= j) > 0) { /* less than a vector is left */
        floats g = gradient ? load_part(gradient + j, n) : (floats){0}, square = g * g, first = {0}, second = {0};
        if (squares) square = load_part(squares + j, n);
        if (x->first) first = load_part(x->first + k, n);
        if (x->second) second = load_part(x->second + k, n);
        floats p = NAME(rule_vector)(kind, g, square, load_part(x->value + k, n), &first, &second, rule);
        store_part(x->new_value + k, p, n);
        if (x->first) store_part(x->new_first + k, first, n);
        if (x->second) store_part(x->new_second + k, second, n);
    }
}

static void NAME(update)(enum kz_rule kind, long n, const float *gradient, const float *squares,
                         const struct kz_variable *x, long at, const void *rule) {
    int streamed = NAME(is_streamed)(x, at);
#define CASE(some) /* code of its own for each, in which `kind` is known */                 \
    case some:                                                                             \
        if (streamed) NAME(values)(some, 1, n, gradient, squares, x, at, rule);            \
        else NAME(values)(some, 0, n, gradient, squares, x, at, rule);                     \
        break;
    switch (kind) { CASE(KZ_ADAM) CASE(KZ_RMSPROP) CASE(KZ_SGD) }
#undef CASE
    if (streamed) _mm_sfence();
}

/* The sum of a row's gradients, each `next` from the last, and of their squares. */
static void NAME(sum_positions)(const float *gradients, long width, int32_t first, const int32_t *next, float *sum,
                                float *squares) {
    for (long j = 0; j < width; j += LANES) {
        long left = width - j;
        floats s = {0}, q = {0};
        for (int32_t k = first; k >= 0; k = next[k]) {
            const float *at = gradients + k * width + j;
            floats g = left >= LANES ? load(at) : load_part(at, left);
            s += g, q += g * g;
        }
        store(sum + j, s), store(squares + j, q); /* there is room for whole vectors */
    }
}

/* sums[rows[i]] += x[i] for n rows of `width` floats, a multiple of LANES, in matrices of rows `apart`. */
static void NAME(add_rows)(long n, const int32_t *rows, long width, long apart, const float *x, float *sums) {
    for (long i = 0; i < n; i++) {
        float *sum = sums + rows[i] * apart;
        for (long j = 0; j < width; j += LANES) store(sum + j, load(sum + j) + load(x + i * apart + j));
    }
}
