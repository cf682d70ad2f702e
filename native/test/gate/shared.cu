// more than the 99 KiB of sm_86, by its own declaration
// gate: too_much_shared 110000
extern "C" __global__ void too_much_shared(float* y) {
    extern __shared__ float values[];
    values[threadIdx.x] = y[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = values[blockDim.x - 1 - threadIdx.x];
}
