/* All that is compiled once per instruction set, by `avx2.c` and `avx512.c`. */
#include <immintrin.h>
#include <string.h>

#include "sets.h"

#include "simd.h"

#include "matmul.h"

#include "lstm.h"

#include "optimizers.h"

const struct kz_set SET = {
    .name = SET_NAME,
    .width = WIDTH,
    .pack = NAME(pack),
    .pack_transposed = NAME(pack_transposed),
    .project = NAME(project),
    .steps = NAME(steps),
    .steps_back = NAME(steps_back),
    .product = NAME(product),
    .add_outer = NAME(add_outer),
    .update = NAME(update),
    .sum_positions = NAME(sum_positions),
    .add_rows = NAME(add_rows),
};
