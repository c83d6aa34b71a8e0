/* The optimizers' arithmetic, rounded operation by operation as Keras's. Included once per instruction set. */

INLINE void NAME(adam_vector)(floats g, floats square, floats p, floats *m, floats *v, floats *new_p, const struct kz_adam *a) {
    *m += (g - *m) * a->rest_1;
    *v += (square - *v) * a->rest_2;
    *new_p = p - *m * a->alpha / (SQRT(*v) + a->epsilon);
}

/* Values `at` to at + n of variable x. No gradient: 0. No squares: those of the gradient. */
static void NAME(adam)(long n, const float *gradient, const float *squares, const struct kz_variable *x, long at,
                       const struct kz_adam *adam) {
    for (long j = 0; j < n; j += LANES) {
        long left = n - j, k = at + j;
        if (left >= LANES) {
            floats g = gradient ? load(gradient + j) : (floats){0}, square = g * g;
            floats m = load(x->first + k), v = load(x->second + k), p;
            if (squares) square = load(squares + j);
            NAME(adam_vector)(g, square, load(x->value + k), &m, &v, &p, adam);
            store(x->new_first + k, m), store(x->new_second + k, v), store(x->new_value + k, p);
        } else {
            floats g = gradient ? load_part(gradient + j, left) : (floats){0}, square = g * g, p;
            floats m = load_part(x->first + k, left), v = load_part(x->second + k, left);
            if (squares) square = load_part(squares + j, left);
            NAME(adam_vector)(g, square, load_part(x->value + k, left), &m, &v, &p, adam);
            store_part(x->new_first + k, m, left), store_part(x->new_second + k, v, left);
            store_part(x->new_value + k, p, left);
        }
    }
}
