#pragma GCC target("avx2,fma")
#define LANES 8
#define ROWS 6
#define NAME(x) x##_avx2
#define FMA(a, b, c) ((floats)_mm256_fmadd_ps(a, b, c))
#define SQRT(a) ((floats)_mm256_sqrt_ps(a))
#define LEAST(a, b) ((floats)_mm256_min_ps(a, b))
#define GREATEST(a, b) ((floats)_mm256_max_ps(a, b))
#define STREAM(p, a) _mm256_stream_ps(p, (__m256)(a))
#include "every_set.h"

const struct kz_set kz_avx2 = {
    .name = "AVX2",
    .width = WIDTH,
    .pack = pack_avx2,
    .pack_transposed = pack_transposed_avx2,
    .project = project_avx2,
    .steps = steps_avx2,
    .steps_back = steps_back_avx2,
    .product = product_avx2,
    .add_outer = add_outer_avx2,
    .update = update_avx2,
    .sum_positions = sum_positions_avx2,
    .add_rows = add_rows_avx2,
};
