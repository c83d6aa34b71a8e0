// Enough of CUDA C to run a kernel on a CPU: a thread for each of a block's, blocks one after the other.
#include <barrier>
#include <cmath>
#include <cstring>
#include <thread>
#include <vector>
#define __global__
#define __device__
#define __shared__ static
#define __align__(n) __attribute__((aligned(n)))
#define __launch_bounds__(...)
#define __restrict__
struct float4 { float x, y, z, w; };
struct Place { int x; };
thread_local Place threadIdx, blockIdx;
static std::barrier<>* everybody;
static std::vector<float> lanes;
inline void __syncthreads() { everybody->arrive_and_wait(); }
inline float __ldg(const float* p) { return *p; }
inline float exchange(float value, int from) {
  lanes[threadIdx.x] = value;
  __syncthreads();
  const float got = lanes[from];
  __syncthreads();
  return got;
}
inline float __shfl_sync(unsigned, float value, int lane, int width) {
  return exchange(value, threadIdx.x / width * width + lane);
}
inline float __shfl_xor_sync(unsigned, float value, int mask) { return exchange(value, threadIdx.x ^ mask); }
template <class Kernel>
void launch(int blocks, int threads, Kernel kernel) {
  lanes.resize(threads);
  std::barrier<> barrier(threads);
  everybody = &barrier;
  for (int b = 0; b < blocks; ++b) {
    std::vector<std::thread> all;
    for (int n = 0; n < threads; ++n) all.emplace_back([=] { threadIdx = {n}; blockIdx = {b}; kernel(); });
    for (auto& one : all) one.join();
  }
}
