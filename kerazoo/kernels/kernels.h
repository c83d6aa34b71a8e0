/* What the library computes, in float32; `lstm.c`, `optimizers.c` and, for each instruction set, `lstm.h` and
 * `optimizers.h` have the definitions.
 *
 * Symbols: B examples, T steps, D inputs, H units, P units with padding, V rows of a table, S = T * B positions. */
#ifndef KERAZOO_KERNELS_H
#define KERAZOO_KERNELS_H

#include <stdint.h>

#define KZ_EXPORT __attribute__((visibility("default")))

/* The instruction set in use, "AVX2" or "AVX-512", or NULL where the processor has neither: then nothing may be called. */
KZ_EXPORT const char *kz_instructions(void);
KZ_EXPORT int kz_use(const char *instructions); /* for tests; 0 where the processor has not got them */

/* An LSTM in Keras's gate order i, f, c, o. Where `tokens` is not NULL its inputs are rows of `table`, else `inputs`. */
struct kz_lstm {
    long batch, steps, inputs_width, units, rows; /* B, T, D, H, V */
    int backwards;                                /* from the last step to the first */
    const float *inputs;                          /* (B, T, D) */
    const float *table;                           /* (V, D) */
    const int32_t *tokens;                        /* (B, T), in [0, V) */
    const float *kernel, *recurrent, *bias;       /* (D, 4H), (H, 4H), (4H) or NULL */
    const float *h, *c;                           /* (B, H) to start from */
    /* What forward leaves for backward, in the order in which steps were taken. All NULL: nothing is left. */
    float *gates;          /* (T, B, 4P), activated */
    float *cells, *hidden; /* (T, B, P) */
    int32_t *lookup;       /* (2S + 1) with tokens: the place of each position's token in the list of distinct ones, (T,
                              B); the list; its length */
};
KZ_EXPORT long kz_padded(long units); /* P */

/* Fills what `lstm` leaves for backward, `last_h`, `last_c` (B, H), and `outputs` (B, T, H) if not NULL. Returns 0, or
 * -1 where memory is short. */
KZ_EXPORT int kz_lstm_forward(const struct kz_lstm *lstm, float *outputs, float *last_h, float *last_c);

/* From the gradients of outputs (or NULL), last_h and last_c to those of what forward read: d_inputs (B, T, D), one row
 * a position with tokens, too; d_kernel, d_recurrent, d_bias (or NULL), d_start_h and d_start_c. */
struct kz_lstm_gradients {
    const float *d_outputs, *d_last_h, *d_last_c;
    float *d_inputs, *d_kernel, *d_recurrent, *d_bias, *d_h, *d_c;
    float *d_gates; /* (T, B, 4P) to work in: those before their activation. May be the memory of `gates` */
};
KZ_EXPORT int kz_lstm_backward(const struct kz_lstm *lstm, const struct kz_lstm_gradients *gradients);

/* One variable of `count` values, or (rows, width) where positions of rows have gradients, and what an optimizer keeps of
 * it. Each result may be the same memory as what it is made from. */
struct kz_variable {
    long count;
    const float *gradient;                      /* (count), or (positions, width) with indices */
    long rows, width, positions;                /* with indices */
    const int32_t *indices;                     /* (positions), in [0, rows), or NULL */
    const float *value, *first, *second;        /* (count) each */
    float *new_value, *new_first, *new_second;
};

/* The rounded constants, as Keras forms them. */
struct kz_adam { float alpha, rest_1, rest_2, epsilon; }; /* alpha: the corrected rate; rest: 1 - beta */
KZ_EXPORT int kz_adam(const struct kz_variable *variables, int count, const struct kz_adam *adam);

/* First: the velocity; second: the momentum, where that is not 0. */
struct kz_rmsprop { float rate, rho, rest, momentum, epsilon; };
KZ_EXPORT int kz_rmsprop(const struct kz_variable *variables, int count, const struct kz_rmsprop *rmsprop);

/* First: the momentum, where that is not 0. */
struct kz_sgd { float rate, momentum; int nesterov; };
KZ_EXPORT int kz_sgd(const struct kz_variable *variables, int count, const struct kz_sgd *sgd);

#endif
