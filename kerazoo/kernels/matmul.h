/* Matrix products in pieces of ROWS x WIDTH that stay in registers. Included once per instruction set.
 *
 * The right-hand factor is packed: columns in panels of WIDTH, each panel `depth` rows of WIDTH floats. */
#define WIDTH (2 * LANES)

/* sum[i] = start[i] + A[i, :] B, where A[i, k] = a[i * row + k * step] and B is a part of a panel. */
INLINE void NAME(tile)(int rows, long depth, const float *a, long row, long step, const float *b, floats sum[ROWS][2]) {
    floats s[ROWS][2];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) s[i][0] = sum[i][0], s[i][1] = sum[i][1];
    for (long k = 0; k < depth; k++) {
        floats b0 = load(b + k * WIDTH), b1 = load(b + k * WIDTH + LANES);
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            floats x = all(a[i * row + k * step]);
            s[i][0] = FMA(x, b0, s[i][0]);
            s[i][1] = FMA(x, b1, s[i][1]);
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) sum[i][0] = s[i][0], sum[i][1] = s[i][1];
}

/* C[i, 0:WIDTH] = (starts[i][at:] or what C has or 0) + A[i, :] B for some rows. */
INLINE void NAME(block)(int rows, long depth, const float *a, long row, long step, const float *b, float *c, long c_row,
                        const float *const *starts, long at, int add) {
    floats sum[ROWS][2];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        const float *from = starts ? starts[i] + at : c + i * c_row;
        int any = starts || add;
        sum[i][0] = any ? load(from) : (floats){0}, sum[i][1] = any ? load(from + LANES) : (floats){0};
    }
    NAME(tile)(rows, depth, a, row, step, b, sum);
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) store(c + i * c_row, sum[i][0]), store(c + i * c_row + LANES, sum[i][1]);
}

/* The same for any number of rows up to ROWS; each has code of its own, in which the sums are registers. */
static void NAME(blocks)(int rows, long depth, const float *a, long row, long step, const float *b, float *c,
                         long c_row, const float *const *starts, long at, int add) {
#define CASE(n) \
    case n: NAME(block)(n, depth, a, row, step, b, c, c_row, starts, at, add); break;
    switch (rows) {
        CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#if ROWS > 6
        CASE(7) CASE(8)
#endif
    }
#undef CASE
}

/* C (rows, columns) = (starts or 0) + A (rows, depth) B, for columns a multiple of WIDTH; `starts` are rows' pointers or
 * NULL. A's rows are a_row floats apart, C's c_row. */
static void NAME(product)(long rows, long columns, long depth, const float *a, long a_row, const float *b, float *c,
                          long c_row, const float *const *starts) {
    for (long k = 0; k < depth; k += DEPTH)
        for (long j = 0; j < columns; j += WIDTH)
            for (long i = 0; i < rows; i += ROWS)
                NAME(blocks)(rows - i < ROWS ? rows - i : ROWS, depth - k < DEPTH ? depth - k : DEPTH, a + i * a_row + k,
                             a_row, 1, b + j * depth + k * WIDTH, c + i * c_row + j, c_row,
                             starts && !k ? starts + i : NULL, j, k > 0);
}

/* C (rows, columns) += sum over k < depth of A[k, :]^T B[k, :], for columns a multiple of WIDTH. `sums` (columns), if
 * not NULL, gets the sum of B's rows added. The pointers to the rows of A are at `a`; B's rows are b_row apart.
 * `room` holds DEPTH * (rows + WIDTH) floats. */
static void NAME(add_outer)(long rows, long columns, long depth, const float *const *a, const float *b, long b_row,
                            float *c, long c_row, float *sums, float *room) {
    float *panel = room, *packed = room + DEPTH * WIDTH;
    for (long k = 0; k < depth; k += DEPTH) {
        long some = depth - k < DEPTH ? depth - k : DEPTH;
        for (long i = 0; i < rows; i += ROWS) { /* A in blocks of up to ROWS columns */
            long n = rows - i < ROWS ? rows - i : ROWS;
            float *to = packed + i * some;
            if (n == ROWS)
                for (long r = 0; r < some; r++) memcpy(to + r * ROWS, a[k + r] + i, ROWS * sizeof(float));
            else
                for (long r = 0; r < some; r++) memcpy(to + r * n, a[k + r] + i, n * sizeof(float));
        }
        for (long j = 0; j < columns; j += WIDTH) {
            floats sum[2] = {{0}, {0}};
            for (long r = 0; r < some; r++) {
                floats x = load(b + (k + r) * b_row + j), y = load(b + (k + r) * b_row + j + LANES);
                store(panel + r * WIDTH, x), store(panel + r * WIDTH + LANES, y);
                sum[0] += x, sum[1] += y;
            }
            if (sums) {
                store(sums + j, load(sums + j) + sum[0]);
                store(sums + j + LANES, load(sums + j + LANES) + sum[1]);
            }
            for (long i = 0; i < rows; i += ROWS) {
                long n = rows - i < ROWS ? rows - i : ROWS;
                NAME(blocks)(n, some, packed + i * some, 1, n, panel, c + i * c_row + j, c_row, NULL, 0, 1);
            }
        }
    }
}
