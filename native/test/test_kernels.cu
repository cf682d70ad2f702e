// Kernels that try the simulated driver: one for every promise and every misuse.
#include "ptx.cuh"
#include "types.cuh"

using namespace quern;

// Faults that are the point of a test: the simulator is to report them, not a sanitizer that ends the process first.
#define ON_PURPOSE __attribute__((noinline, no_sanitize("address,undefined")))
ON_PURPOSE int quotient(int a, int b) { return a / b; }
ON_PURPOSE float load_anyway(const float* x) { return *x; }
ON_PURPOSE void store_anyway(float* y, float value) { *y = value; }

QUERN_KERNEL(256, increment, float* y, int n) {
    int i = static_cast<int>(global_index());
    if (i < n) y[i] += 1.0f;
}

QUERN_KERNEL(256, increment_overlapped, float* y, int n, int waiting) {
    if (static_cast<int>(threadIdx.x) < waiting) overlap_launches();
    int i = static_cast<int>(global_index());
    if (i < n) y[i] += 1.0f;
}

/// Before it waits it reads (1), writes (2), prefetches (3) or only computes and meets its block (0).
QUERN_KERNEL(256, hasty, float* y, int how) {
    QUERN_SHARED(float, sum, [256]);
    const int i = static_cast<int>(global_index());
    grid_dependents_launch();
    sum[threadIdx.x] = how == 1 && i == 300 ? y[i] : 1.0f;
    block_barrier();
    if (how == 2 && i == 300) y[i] = 7.0f;
    if (how == 3) prefetch_line<4>(y + i);
    const float more = sum[255 - threadIdx.x];
    grid_dependency_wait();
    y[i] += more;
}

/// 2^x, 1 / x, tanh x (the instruction), e^x and tanh x (the function), each for all numbers.
QUERN_KERNEL(256, approximations, const float* x, float* y, int n) {
    const int i = static_cast<int>(global_index());
    if (i < n) {
        y[i] = exp2_approx(x[i]);
        y[n + i] = reciprocal_approx(x[i]);
        y[2 * n + i] = tanh_approx(x[i]);
        y[3 * n + i] = quern::expf(x[i]);
        y[4 * n + i] = quern::tanhf(x[i]);
    }
}

/// ln |x| and 1 / sqrt |x|, each for all numbers.
QUERN_KERNEL(256, approximations_in_double, const double* x, double* y, int n) {
    const int i = static_cast<int>(global_index());
    if (i < n) {
        y[i] = quern::log(fabs(x[i]));
        y[n + i] = quern::rsqrt(fabs(x[i]));
    }
}

QUERN_KERNEL(1024, block_sum, const float* x, float* y) {
    QUERN_SHARED(float, partial, [32]);
    float sum = x[global_index()];
    for (int offset = 16; offset > 0; offset /= 2) sum += shuffle_xor(sum, offset);
    if (lane_id() == 0) partial[threadIdx.x / 32] = sum;
    block_barrier();
    if (threadIdx.x < 32) {
        sum = threadIdx.x < blockDim.x / 32 ? partial[threadIdx.x] : 0.0f;
        for (int offset = 16; offset > 0; offset /= 2) sum += shuffle_xor(sum, offset);
        if (threadIdx.x == 0) y[blockIdx.x] = sum;
    }
}

QUERN_KERNEL(256, skips_barrier, float* y) {
    if (threadIdx.x < 96) block_barrier();
    y[threadIdx.x] = 1;
}

QUERN_KERNEL(256, reads_past_end, const float* x, float* y, int offset) {
    if (blockIdx.x == 1 && threadIdx.x == 5) y[0] = load_anyway(x + offset);
}

QUERN_KERNEL(256, writes_slack, float* y, int offset) {
    if (threadIdx.x == 0) store_anyway(y + offset, 1);
}

QUERN_KERNEL(256, misaligned, const float* x, float* y) {
    Pack<float> p = load_pack(x + 1);
    y[threadIdx.x] = p[0];
}

QUERN_KERNEL(256, divides_by_zero, int zero, int* y) { y[threadIdx.x] = quotient(7, zero); }

QUERN_KERNEL(256, uninitialised_shared, float* y) {
    QUERN_SHARED(float, values, [256]);
    y[threadIdx.x] = values[255 - threadIdx.x];
}

QUERN_KERNEL(256, dynamic_shared, float* y, int floats) {
    QUERN_DYNAMIC_SHARED(float, values);
    for (int i = threadIdx.x; i < floats; i += blockDim.x) values[i] = static_cast<float>(i);
    block_barrier();
    for (int i = threadIdx.x; i < floats; i += blockDim.x) y[i] = values[floats - 1 - i];
}

QUERN_KERNEL(64, diverges, float* y) {
    float v = 1;
    if (lane_id() < 16) v = shuffle_xor(v, 1);
    else v = shuffle_down(v, 1);
    y[threadIdx.x] = v;
}

QUERN_KERNEL(128, arrives_twice, float* y) {
    if (threadIdx.x < 32) {
        barrier_arrive(1, 128);
        barrier_arrive(1, 128);
    } else {
        barrier_sync(1, 128);
    }
    y[threadIdx.x] = 1;
}

QUERN_KERNEL(128, votes, unsigned* y) {
    unsigned ballot = warp_ballot(threadIdx.x % 3 == 0);
    unsigned equal = warp_match(threadIdx.x / 8);
    y[threadIdx.x] = ballot ^ equal ^ (warp_any(threadIdx.x == 40) ? 1u : 0u) ^ (warp_all(threadIdx.x < 64) ? 2u : 0u);
}

/// Copies through shared memory; with wait = 0 it forgets to wait.
QUERN_KERNEL(128, copies_async, const float* x, float* y, int wait) {
    QUERN_SHARED(float, tile, [512]);
    copy_async<16>(&tile[threadIdx.x * 4], &x[threadIdx.x * 4], true);
    copy_commit();
    if (wait) copy_wait<0>();
    block_barrier();
    for (int i = 0; i < 4; i++) y[threadIdx.x * 4 + i] = tile[511 - (threadIdx.x * 4 + i)];
}

QUERN_KERNEL(64, mbarrier_ring, float* y, int forget) {
    QUERN_SHARED(unsigned long long, bars, [2]);
    QUERN_SHARED(float, slot, [32]);
    if (threadIdx.x == 0) {
        mbarrier_init(&bars[0], 32);
        mbarrier_init(&bars[1], 32);
        fence_mbarrier_init();
    }
    block_barrier();
    float sum = 0;
    for (int round = 0; round < 5; round++) {
        if (threadIdx.x < 32) {
            if (round > 0) mbarrier_wait(&bars[1], (round - 1) & 1);
            slot[threadIdx.x] = static_cast<float>(round * 32 + threadIdx.x);
            mbarrier_arrive(&bars[0]);
        } else {
            mbarrier_wait(&bars[0], round & 1);
            sum += slot[threadIdx.x - 32];
            if (!(forget && round == 2 && threadIdx.x == 63)) mbarrier_arrive(&bars[1]);
        }
    }
    if (threadIdx.x >= 32) y[threadIdx.x - 32] = sum;
}

/// d = a b for one m16n8k16 tile: a row major 16x16, b column major (8 columns of 16).
QUERN_KERNEL(32, mma_bf16, const bf16* a, const bf16* b, float* d) {
    QUERN_SHARED(bf16, as, [16 * 16]);
    QUERN_SHARED(bf16, bs, [8 * 16]);
    for (int i = threadIdx.x; i < 256; i += 32) as[i] = a[i];
    for (int i = threadIdx.x; i < 128; i += 32) bs[i] = b[i];
    warp_barrier();
    u32 fa[4], fb[2];
    int lane = lane_id();
    ldmatrix_x4(fa, &as[(lane % 16) * 16 + lane / 16 * 8]);
    ldmatrix_x2(fb, &bs[(lane % 8) * 16 + lane / 8 % 2 * 8]);
    float acc[4] = {0, 0, 0, 0};
    mma_m16n8k16_bf16(acc, fa, fb);
    for (int i = 0; i < 4; i++) d[(lane / 4 + i / 2 * 8) * 8 + lane % 4 * 2 + i % 2] = acc[i];
}

QUERN_KERNEL(32, mma_tf32, const float* a, const float* b, float* d) {
    u32 fa[4], fb[2];
    int lane = lane_id(), group = lane / 4, t = lane % 4;
    // a 16x8 row major, b 8x8 column major
    fa[0] = to_tf32(a[group * 8 + t]);
    fa[1] = to_tf32(a[(group + 8) * 8 + t]);
    fa[2] = to_tf32(a[group * 8 + t + 4]);
    fa[3] = to_tf32(a[(group + 8) * 8 + t + 4]);
    fb[0] = to_tf32(b[group * 8 + t]);
    fb[1] = to_tf32(b[group * 8 + t + 4]);
    float acc[4] = {0, 0, 0, 0};
    mma_m16n8k8_tf32(acc, fa, fb);
    for (int i = 0; i < 4; i++) d[(group + i / 2 * 8) * 8 + t * 2 + i % 2] = acc[i];
}
