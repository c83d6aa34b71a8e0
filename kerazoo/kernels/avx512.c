#pragma GCC target("avx512f,avx2,fma,prefer-vector-width=512")
#define LANES 16
#define ROWS 8
#define NAME(x) x##_avx512
#define FMA(a, b, c) ((floats)_mm512_fmadd_ps(a, b, c))
#define SQRT(a) ((floats)_mm512_sqrt_ps(a))
#define LEAST(a, b) ((floats)_mm512_min_ps(a, b))
#define GREATEST(a, b) ((floats)_mm512_max_ps(a, b))
#define STREAM(p, a) _mm512_stream_ps(p, (__m512)(a))
#include "every_set.h"

const struct kz_set kz_avx512 = {
    .name = "AVX-512",
    .width = WIDTH,
    .pack = pack_avx512,
    .pack_transposed = pack_transposed_avx512,
    .project = project_avx512,
    .steps = steps_avx512,
    .steps_back = steps_back_avx512,
    .product = product_avx512,
    .add_outer = add_outer_avx512,
    .update = update_avx512,
    .sum_positions = sum_positions_avx512,
    .add_rows = add_rows_avx512,
};
