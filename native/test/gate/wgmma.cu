// touches the accumulators of a wgmma before its wait, so that ptxas runs one after another
extern "C" __global__ void __launch_bounds__(128) serialises(unsigned long long a, unsigned long long b, float* y, int n) {
    float d[4] = {};
    for (int i = 0; i < n; i++) {
        asm volatile("wgmma.fence.sync.aligned;");
        asm volatile(
            "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%0, %1, %2, %3}, %4, %5, 1, 1, 1, 0, 0;"
            : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
            : "l"(a), "l"(b));
        asm volatile("wgmma.commit_group.sync.aligned;");
        d[0] += 1;
        asm volatile("wgmma.wait_group.sync.aligned 0;");
    }
    for (int i = 0; i < 4; i++) y[threadIdx.x * 4 + i] = d[i];
}
