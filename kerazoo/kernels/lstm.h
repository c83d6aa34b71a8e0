/* The LSTM's steps. Included once per instruction set.
 *
 * Source: Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000), as Keras computes it. */

/* The column of Keras's weights that column j of the padded ones is, or -1. */
static long NAME(column)(long j, long units, long padded) { return j % padded < units ? j / padded * units + j % padded : -1; }

static void NAME(pack)(long depth, long units, const float *weights, float *packed, long from, long to) {
    long padded = kz_padded(units);
    for (long j = from; j < to; j += WIDTH)
        for (long k = 0; k < depth; k++) {
            float *out = packed + j * depth + k * WIDTH;
            long first = NAME(column)(j, units, padded), last = NAME(column)(j + WIDTH - 1, units, padded);
            if (last >= 0 && first >= 0) {
                memcpy(out, weights + k * 4 * units + first, WIDTH * sizeof(float));
                continue;
            }
            for (long i = 0; i < WIDTH; i++) {
                long column = NAME(column)(j + i, units, padded);
                out[i] = column < 0 ? 0 : weights[k * 4 * units + column];
            }
        }
}

static void NAME(pack_transposed)(long columns, long units, const float *weights, float *packed, long from, long to) {
    long padded = kz_padded(units), depth = 4 * padded;
    for (long j = from; j < to; j += WIDTH)
        for (long gate = 0; gate < 4; gate++)
            for (long k0 = 0; k0 < padded; k0 += 16) /* a line of the cache of each row at a time */
                for (long i = 0; i < WIDTH; i++) {
                    float *out = packed + j * depth + (gate * padded + k0) * WIDTH + i;
                    const float *row = weights + (j + i) * 4 * units + gate * units;
                    for (long k = k0; k < k0 + 16; k++, out += WIDTH) *out = j + i < columns && k < units ? row[k] : 0;
                }
}

static void NAME(project)(long n, long depth, long columns, const float *const *x, const float *packed, const float *bias,
                          float *projected, float *room) {
    const float *starts[CHUNK];
    for (long i = 0; i < CHUNK; i++) starts[i] = bias;
    for (long from = 0; from < n; from += CHUNK) {
        long some = n - from < CHUNK ? n - from : CHUNK;
        for (long i = 0; i < some; i++) memcpy(room + i * depth, x[from + i], depth * sizeof(float));
        NAME(product)(some, columns, depth, room, depth, packed, projected + from * columns, columns, bias ? starts : NULL);
    }
}

/* Padded rows (n, P) of unpadded ones (n, H), and back. */
static void NAME(widen)(long n, long units, long padded, const float *x, float *out) {
    for (long i = 0; i < n; i++) {
        memcpy(out + i * padded, x + i * units, units * sizeof(float));
        memset(out + i * padded + units, 0, (padded - units) * sizeof(float));
    }
}
static void NAME(narrow)(long n, long units, long padded, const float *x, float *out) {
    for (long i = 0; i < n; i++) memcpy(out + i * units, x + i * padded, units * sizeof(float));
}

/* The gates of one example, (4P), before to after their activation; c (P) before to after; h (P). */
INLINE void NAME(cell)(long padded, float *gates, const float *before, float *c, float *h) {
    for (long j = 0; j < padded; j += LANES) {
        floats i = sigmoid(load(gates + j)), f = sigmoid(load(gates + padded + j));
        floats g = tanh(load(gates + 2 * padded + j)), o = sigmoid(load(gates + 3 * padded + j));
        floats cell = FMA(f, load(before + j), i * g);
        store(gates + j, i), store(gates + padded + j, f), store(gates + 2 * padded + j, g);
        store(gates + 3 * padded + j, o);
        store(c + j, cell);
        store(h + j, o * tanh(cell));
    }
}

/* All steps of examples `from` to `to`: with `lookup`, the inputs' projection is at the row of `projected` that it names,
 * else at the position's own. */
static void NAME(steps)(const struct kz_lstm *l, const float *projected, const float *packed, float *outputs,
                        float *last_h, float *last_c, float *room, long from, long to) {
    long B = l->batch, T = l->steps, H = l->units, P = kz_padded(H), G = 4 * P;
    for (long s = from; s < to; s += CHUNK) {
        long n = to - s < CHUNK ? to - s : CHUNK;
        float *h0 = room, *c0 = room + CHUNK * P, *spare = room + 2 * CHUNK * P;
        NAME(widen)(n, H, P, l->h + s * H, h0);
        NAME(widen)(n, H, P, l->c + s * H, c0);
        const float *h = h0, *c = c0;
        for (long t = 0; t < T; t++) {
            long at = t * B + s;
            float *gates = l->gates ? l->gates + at * G : spare;
            float *new_c = l->cells ? l->cells + at * P : c0, *new_h = l->hidden ? l->hidden + at * P : h0;
            const float *starts[CHUNK];
            for (long b = 0; b < n; b++) starts[b] = projected + (l->lookup ? l->lookup[at + b] : at + b) * G;
            NAME(product)(n, G, H, h, P, packed, gates, G, starts);
            for (long b = 0; b < n; b++) NAME(cell)(P, gates + b * G, c + b * P, new_c + b * P, new_h + b * P);
            h = new_h, c = new_c;
            if (outputs)
                for (long b = 0; b < n; b++)
                    memcpy(outputs + ((s + b) * T + t) * H, h + b * P, H * sizeof(float));
        }
        NAME(narrow)(n, H, P, h, last_h + s * H);
        NAME(narrow)(n, H, P, c, last_c + s * H);
    }
}

/* One example at one step: from its gates, the cell before and after it, and dh = `d_h` + `more` (H, or NULL), to dz (4P)
 * and dc before it. */
INLINE void NAME(cell_back)(long units, long padded, const float *gates, const float *before, const float *after,
                            const float *d_h, const float *more, float *d_c, float *dz) {
    for (long j = 0; j < padded; j += LANES) {
        floats i = load(gates + j), f = load(gates + padded + j), g = load(gates + 2 * padded + j);
        floats o = load(gates + 3 * padded + j), squashed = tanh(load(after + j)), dh = load(d_h + j);
        if (more && j < units) dh += units - j >= LANES ? load(more + j) : load_part(more + j, units - j);
        floats dc = FMA(dh * o, 1.0f - squashed * squashed, load(d_c + j));
        store(dz + j, dc * g * i * (1.0f - i));
        store(dz + padded + j, dc * load(before + j) * f * (1.0f - f));
        store(dz + 2 * padded + j, dc * i * (1.0f - g * g));
        store(dz + 3 * padded + j, dh * squashed * o * (1.0f - o));
        store(d_c + j, dc * f);
    }
}

/* All steps back of examples `from` to `to`: dz (T, B, 4P), d_h and d_c. */
static void NAME(steps_back)(const struct kz_lstm *l, const struct kz_lstm_gradients *d, const float *packed, float *dz,
                             float *room, long from, long to) {
    long B = l->batch, T = l->steps, H = l->units, P = kz_padded(H), G = 4 * P;
    for (long s = from; s < to; s += CHUNK) {
        long n = to - s < CHUNK ? to - s : CHUNK;
        float *d_h = room, *d_c = room + CHUNK * P, *c0 = room + 2 * CHUNK * P;
        NAME(widen)(n, H, P, d->d_last_h + s * H, d_h);
        NAME(widen)(n, H, P, d->d_last_c + s * H, d_c);
        NAME(widen)(n, H, P, l->c + s * H, c0);
        for (long t = T - 1; t >= 0; t--) {
            long at = t * B + s;
            const float *before = t ? l->cells + (at - B) * P : c0;
            for (long b = 0; b < n; b++)
                NAME(cell_back)(H, P, l->gates + (at + b) * G, before + b * P, l->cells + (at + b) * P, d_h + b * P,
                                d->d_outputs ? d->d_outputs + ((s + b) * T + t) * H : NULL, d_c + b * P,
                                dz + (at + b) * G);
            NAME(product)(n, P, G, dz + at * G, G, packed, d_h, P, NULL);
        }
        NAME(narrow)(n, H, P, d_h, d->d_h + s * H);
        NAME(narrow)(n, H, P, d_c, d->d_c + s * H);
    }
}
