#pragma GCC target("avx512f,avx2,fma,prefer-vector-width=512")
#define LANES 16
#define ROWS 8
#define NAME(x) x##_avx512
#define FMA(a, b, c) ((floats)_mm512_fmadd_ps(a, b, c))
#define SQRT(a) ((floats)_mm512_sqrt_ps(a))
#define LEAST(a, b) ((floats)_mm512_min_ps(a, b))
#define GREATEST(a, b) ((floats)_mm512_max_ps(a, b))
#define STREAM(p, a) _mm512_stream_ps(p, (__m512)(a))
#define SET kz_avx512
#define SET_NAME "AVX-512"
#include "every_set.h"
