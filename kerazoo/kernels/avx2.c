#pragma GCC target("avx2,fma")
#define LANES 8
#define ROWS 6
#define NAME(x) x##_avx2
#define FMA(a, b, c) ((floats)_mm256_fmadd_ps(a, b, c))
#define SQRT(a) ((floats)_mm256_sqrt_ps(a))
#define LEAST(a, b) ((floats)_mm256_min_ps(a, b))
#define GREATEST(a, b) ((floats)_mm256_max_ps(a, b))
#define STREAM(p, a) _mm256_stream_ps(p, (__m256)(a))
#define SET kz_avx2
#define SET_NAME "AVX2"
#include "every_set.h"
