// An LSTM's recurrence for one example of the batch a block, its state in shared memory and registers from the first
// step to the last. Compiled for H units, a multiple of 8 up to 128; STEPS and BATCH are those of a call, and TRAINING says
// whether what the gradient needs is kept.
//
// A block has 4 H threads. Thread n serves gate n % 4 (i, f, c, o in Keras's order) of unit n / 4, so that the four gates
// of a unit are neighbours in a warp. Arrays of gates are laid out likewise: (..., H, 4). Of the recurrent weights each
// thread needs one column, H numbers: the first KEPT stay in its registers, the rest come from the cache in each step.

#define THREADS (4 * H)
#ifndef KEPT
#define KEPT (H < 96 ? H : 96)  // some of them spill, and it is fastest so: measured on an H200
#endif
#define PADDED (H + 4)  // of a gate's row in shared memory: four rows start in different banks

__device__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

__device__ float from_gate(float value, int gate) { return __shfl_sync(0xffffffffu, value, gate, 4); }

// projected (T, B, H, 4): the inputs times the kernel, plus bias. recurrent (H from, H to, 4). h0, c0 (B, H).
// outputs (T, B, H). gates (T, B, H, 4) and cells (T, B, H) are for the gradient. h1, c1 (B, H): the last state.
extern "C" __global__ void __launch_bounds__(THREADS, 1) lstm_forward(
    const float* __restrict__ projected, const float* __restrict__ recurrent, const float* __restrict__ h0,
    const float* __restrict__ c0, float* __restrict__ outputs, float* __restrict__ gates, float* __restrict__ cells,
    float* __restrict__ h1, float* __restrict__ c1) {
  __shared__ __align__(16) float state[2][H];
  const int n = threadIdx.x, unit = n / 4, gate = n % 4, row = blockIdx.x;
  float kept[KEPT];
#pragma unroll
  for (int k = 0; k < KEPT; ++k) kept[k] = recurrent[k * THREADS + n];
  float h = h0[row * H + unit], c = c0[row * H + unit];
  if (gate == 0) state[0][unit] = h;
  float next = projected[row * THREADS + n];
  __syncthreads();
  for (int t = 0; t < STEPS; ++t) {
    const float* before = state[t % 2];
    const int at = t * BATCH + row;
    float sums[4] = {next, 0.0f, 0.0f, 0.0f};
    if (t + 1 < STEPS) next = projected[(at + BATCH) * THREADS + n];
#pragma unroll
    for (int k = 0; k < H; k += 4) {
      const float4 h4 = *reinterpret_cast<const float4*>(before + k);
      sums[0] = fmaf(h4.x, k + 0 < KEPT ? kept[k + 0] : __ldg(recurrent + (k + 0) * THREADS + n), sums[0]);
      sums[1] = fmaf(h4.y, k + 1 < KEPT ? kept[k + 1] : __ldg(recurrent + (k + 1) * THREADS + n), sums[1]);
      sums[2] = fmaf(h4.z, k + 2 < KEPT ? kept[k + 2] : __ldg(recurrent + (k + 2) * THREADS + n), sums[2]);
      sums[3] = fmaf(h4.w, k + 3 < KEPT ? kept[k + 3] : __ldg(recurrent + (k + 3) * THREADS + n), sums[3]);
    }
    const float z = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    const float own = gate == 2 ? tanhf(z) : sigmoid(z);
    c = from_gate(own, 1) * c + from_gate(own, 0) * from_gate(own, 2);
    h = from_gate(own, 3) * tanhf(c);
    if (gate == 0) {
      state[(t + 1) % 2][unit] = h;
      outputs[at * H + unit] = h;
    }
#if TRAINING
    gates[at * THREADS + n] = own;
    if (gate == 1) cells[at * H + unit] = c;
#endif
    __syncthreads();
  }
  if (gate == 2) h1[row * H + unit] = h;
  if (gate == 3) c1[row * H + unit] = c;
}

// The gradient of `lstm_forward`: from those of its outputs (T, B, H) and last state (B, H) to d_z (T, B, H, 4), those
// of the projected inputs, and to those of the first state. transposed (H to, H from, 4): the recurrent weights.
extern "C" __global__ void __launch_bounds__(THREADS, 1) lstm_backward(
    const float* __restrict__ gates, const float* __restrict__ cells, const float* __restrict__ c0,
    const float* __restrict__ transposed, const float* __restrict__ d_outputs, const float* __restrict__ d_h1,
    const float* __restrict__ d_c1, float* __restrict__ d_z, float* __restrict__ d_h0, float* __restrict__ d_c0) {
  __shared__ __align__(16) float slopes[2][4 * PADDED];
  const int n = threadIdx.x, unit = n / 4, gate = n % 4, row = blockIdx.x;
  float kept[KEPT];
#pragma unroll
  for (int k = 0; k < KEPT; ++k) kept[k] = transposed[k * THREADS + n];
  float d_h = d_h1[row * H + unit], d_c = d_c1[row * H + unit];
  int at = (STEPS - 1) * BATCH + row;
  float own = gates[at * THREADS + n], after = cells[at * H + unit], d_output = d_outputs[at * H + unit];
  for (int t = STEPS - 1; t >= 0; --t, at -= BATCH) {
    const float i = from_gate(own, 0), f = from_gate(own, 1), g = from_gate(own, 2), o = from_gate(own, 3);
    const float before = t > 0 ? cells[(at - BATCH) * H + unit] : c0[row * H + unit];
    const float squashed = tanhf(after);
    d_h += d_output;
    d_c += d_h * o * (1.0f - squashed * squashed);
    const float slope = gate == 0   ? d_c * g * i * (1.0f - i)
                        : gate == 1 ? d_c * before * f * (1.0f - f)
                        : gate == 2 ? d_c * i * (1.0f - g * g)
                                    : d_h * squashed * o * (1.0f - o);
    d_c *= f;
    after = before;
    if (t > 0) {
      own = gates[(at - BATCH) * THREADS + n];
      d_output = d_outputs[(at - BATCH) * H + unit];
    }
    float* now = slopes[t % 2];
    now[gate * PADDED + unit] = slope;
    d_z[at * THREADS + n] = slope;
    __syncthreads();
    float sums[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    const float* mine = now + gate * PADDED;
#pragma unroll
    for (int k = 0; k < H; k += 4) {
      const float4 d4 = *reinterpret_cast<const float4*>(mine + k);
      sums[0] = fmaf(d4.x, k + 0 < KEPT ? kept[k + 0] : __ldg(transposed + (k + 0) * THREADS + n), sums[0]);
      sums[1] = fmaf(d4.y, k + 1 < KEPT ? kept[k + 1] : __ldg(transposed + (k + 1) * THREADS + n), sums[1]);
      sums[2] = fmaf(d4.z, k + 2 < KEPT ? kept[k + 2] : __ldg(transposed + (k + 2) * THREADS + n), sums[2]);
      sums[3] = fmaf(d4.w, k + 3 < KEPT ? kept[k + 3] : __ldg(transposed + (k + 3) * THREADS + n), sums[3]);
    }
    d_h = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    d_h += __shfl_xor_sync(0xffffffffu, d_h, 1);
    d_h += __shfl_xor_sync(0xffffffffu, d_h, 2);
  }
  if (gate == 0) d_h0[row * H + unit] = d_h;
  if (gate == 1) d_c0[row * H + unit] = d_c;
}
