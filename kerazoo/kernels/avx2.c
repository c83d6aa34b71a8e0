#pragma GCC target("avx2,fma")
#define LANES 8
#define ROWS 6
#define NAME(x) x##_avx2
#define FMA(a, b, c) ((floats)_mm256_fmadd_ps(a, b, c))
#define SQRT(a) ((floats)_mm256_sqrt_ps(a))
#define LEAST(a, b) ((floats)_mm256_min_ps(a, b))
#define GREATEST(a, b) ((floats)_mm256_max_ps(a, b))
#include "every_set.h"

const struct kz_set kz_avx2 = {"AVX2", WIDTH, pack_avx2, pack_transposed_avx2, project_avx2, steps_avx2, steps_back_avx2,
                               product_avx2, add_outer_avx2, adam_avx2};
