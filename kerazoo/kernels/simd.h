/* Vectors of LANES floats of one instruction set, and the functions of the cell. Included once per instruction set,
 * which defines LANES, NAME(x) (x with a suffix), ROWS and the intrinsics FMA, SQRT, LEAST, GREATEST and STREAM. */
#define INLINE static inline __attribute__((always_inline))

typedef float NAME(floats) __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int NAME(ints) __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
#define floats NAME(floats)
#define ints NAME(ints)
#define load(p) (*(const floats *)(p))
#define store(p, x) (*(floats *)(p) = (x))

INLINE floats NAME(all)(float x) { return x - (floats){0}; }
#define all NAME(all)

/* The first n < LANES floats at p, the others 0; and putting the first n back. */
INLINE floats NAME(load_part)(const float *p, long n) {
    floats x = {0};
    memcpy(&x, p, n * sizeof(float));
    return x;
}
INLINE void NAME(store_part)(float *p, floats x, long n) { memcpy(p, &x, n * sizeof(float)); }
#define load_part NAME(load_part)
#define store_part NAME(store_part)

/* exp(x) as (1 + rest) * power: x = n log 2 + r, power = 2^n, rest = exp(r) - 1 by Taylor's series, exact to a rounding
 * as |r| <= log(2) / 2. LEAST and GREATEST give their second operand where it is not a number. */
INLINE floats NAME(exponent)(floats x, floats *power) {
    x = LEAST(all(87.0f), GREATEST(all(-87.0f), x));
    floats shifted = FMA(x, all(1.44269504f), all(12582912.0f));  /* 1.5 * 2^23: rounds to a whole number */
    floats n = shifted - 12582912.0f;
    floats r = FMA(n, all(1.904654323e-9f), FMA(n, all(-0.693147182f), x));
    floats p = FMA(r, all(1 / 5040.0f), all(1 / 720.0f));
    p = FMA(p, r, all(1 / 120.0f));
    p = FMA(p, r, all(1 / 24.0f));
    p = FMA(p, r, all(1 / 6.0f));
    p = FMA(p, r, all(0.5f));
    *power = (floats)(((ints)shifted + 127) << 23);  /* the low bits of `shifted` hold n */
    return FMA(r * r, p, r);
}

INLINE floats NAME(sigmoid)(floats x) {
    floats power, rest = NAME(exponent)(-x, &power);
    return 1.0f / (1.0f + FMA(rest, power, power));
}

/* (exp(2x) - 1) / (exp(2x) + 1), with exp(2x) - 1 formed without cancellation near 0. */
INLINE floats NAME(tanh)(floats x) {
    floats power, rest = NAME(exponent)(x + x, &power);
    floats less_one = FMA(rest, power, power - 1.0f);
    return less_one / (less_one + 2.0f);
}
#define sigmoid NAME(sigmoid)
#define tanh NAME(tanh)
