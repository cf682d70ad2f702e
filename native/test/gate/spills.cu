// 1024 threads leave 64 registers, and this one wants 160 at the same time
extern "C" __global__ void __launch_bounds__(1024) spills(const float* x, float* y) {
    float values[160];
#pragma unroll
    for (int i = 0; i < 160; i++) values[i] = x[i * 1024 + threadIdx.x];
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 160; i++) y[(i * 7 % 160) * 1024 + threadIdx.x] = values[i] * values[159 - i];
}
