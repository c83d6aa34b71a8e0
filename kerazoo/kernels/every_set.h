/* All that is compiled once per instruction set, by `avx2.c` and `avx512.c`. */
#include <immintrin.h>
#include <string.h>

#include "sets.h"

#include "simd.h"

#include "matmul.h"

#include "lstm.h"

#include "optimizers.h"
