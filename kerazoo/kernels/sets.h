/* What each instruction set offers: the serial parts of the work. Shapes as in `kernels.h`; G = 4P. */
#ifndef KERAZOO_SETS_H
#define KERAZOO_SETS_H

#include "kernels.h"

enum { STREAMED = 1 << 20 }; /* values of a variable whose results are not kept in the cache */
enum kz_rule { KZ_ADAM, KZ_RMSPROP, KZ_SGD };

struct kz_set {
    const char *name;
    int width; /* of a panel: P and the packed columns are multiples of it */
    /* weights (depth, 4H) to panels of G columns; the transpose of weights (columns, 4H), of depth G, to panels of
     * columns, of which those from `from` to `to` are packed. */
    void (*pack)(long depth, long units, const float *weights, float *packed, long from, long to);
    void (*pack_transposed)(long columns, long units, const float *weights, float *packed, long from, long to);
    /* projected[i] = bias + x[i] W, for n rows of pointers x; bias (G) or NULL. */
    void (*project)(long n, long depth, long columns, const float *const *x, const float *packed, const float *bias,
                    float *projected, float *room);
    void (*steps)(const struct kz_lstm *lstm, const float *projected, const float *packed, float *outputs, float *last_h,
                  float *last_c, float *room, long from, long to);
    void (*steps_back)(const struct kz_lstm *lstm, const struct kz_lstm_gradients *gradients, const float *packed,
                       float *dz, float *room, long from, long to);
    void (*product)(long rows, long columns, long depth, const float *a, long a_row, const float *b, float *c, long c_row,
                    const float *const *starts);
    void (*add_outer)(long rows, long columns, long depth, const float *const *a, const float *b, long b_row, float *c,
                      long c_row, float *sums, float *room);
    void (*update)(enum kz_rule kind, long n, const float *gradient, const float *squares, const struct kz_variable *v,
                   long at, const void *rule);
    void (*sum_positions)(const float *gradients, long width, int32_t first, const int32_t *next, float *sum,
                          float *squares);
    void (*add_rows)(long n, const int32_t *rows, long width, long apart, const float *x, float *sums);
};
extern const struct kz_set kz_avx2, kz_avx512;
const struct kz_set *kz_set(void);

enum { CHUNK = 48 };  /* examples that take their steps together */
enum { DEPTH = 192 }; /* rows of a panel that are used before the next: they stay in the first-level cache */

static inline long kz_room_to_project(long depth) { return CHUNK * depth; }
static inline long kz_room_for_outer(long rows, long width) { return DEPTH * (rows + width); }
/* For `steps`: what it would leave for backward where nothing is to be left; and the states. */
static inline long kz_room_for_steps(long padded) { return CHUNK * padded * 7; }

#endif
