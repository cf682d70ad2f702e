// c = d(f(alpha op(a) op(b) + beta c + bias)), batched; op transposes for t, d is dropout. All tensors contiguous.
// matmul_{nn,nt,tn,tt}_f32_{256,128,64}(Problem p, RngKey rng, const u32* step)   on CUDA cores, exact f32; tile 128x256, 128x128 or
//   64x64, block 256
// matmul_{nn,nt,tn,tt}_{tf32_{128,64},bf16_{256,128,64}}(Problem p, RngKey rng, const u32* step)   on tensor cores, f32 operands
//   rounded to tf32, or bf16 ones; the same tiles, block 256 for 128x256 (and 73,728 bytes of dynamic shared memory), else 128
//   all: grid (ceil(n / tile), ceil(m / tile), batch * splits), grid.y <= 65535
// matmul_finish(Problem p, RngKey rng, const u32* step)   with splits > 1: adds the partial sums in order; elementwise grid, 8 per
//   thread
// Problem (120 bytes, by value): matmul.cuh. strides: elements from one item of the batch to the next, 0 repeats an operand;
//   bias, preactivation may be null. c, bias and preactivation are f32, or with tensor cores bf16 where narrow is set. Dropout
//   draws by the index in c; rng: 16 bytes by value, step: null, or where rng's step is read from.
// gate: matmul_nn_bf16_256 73728
// gate: matmul_nt_bf16_256 73728
// gate: matmul_tn_bf16_256 73728
// gate: matmul_tt_bf16_256 73728
#include "elementwise.cuh"
#include "matmul_mma.cuh"
#include "matmul_simt.cuh"

using quern::RngKey;
using quern::matmul::Problem;
static_assert(sizeof(Problem) == 120);

// Blocks that share a multiprocessor's registers: ptxas 13.0 spills for the second large f32 one from sm_100 on.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000
#define QUERN_LARGE_F32_BLOCKS 1
#else
#define QUERN_LARGE_F32_BLOCKS 2
#endif

#define QUERN_MATMUL(name, ta, tb)                                                                                          \
    QUERN_MATMUL_KERNEL(256, 1, matmul_##name##_f32_256, (run<128, 256, 8, 16, 8, true, ta, tb>))                           \
    QUERN_MATMUL_KERNEL(256, QUERN_LARGE_F32_BLOCKS, matmul_##name##_f32_128, (run<128, 128, 8, 8, 8, false, ta, tb>))      \
    QUERN_MATMUL_KERNEL(256, 1, matmul_##name##_f32_64, (run<64, 64, 4, 4, 16, false, ta, tb>))                             \
    QUERN_MATMUL_KERNEL(128, 2, matmul_##name##_tf32_128, (run_mma<float, 4, 128, 128, ta, tb>))                            \
    QUERN_MATMUL_KERNEL(128, 4, matmul_##name##_tf32_64, (run_mma<float, 4, 64, 64, ta, tb>))                               \
    QUERN_MATMUL_KERNEL(256, 1, matmul_##name##_bf16_256, (run_mma<quern::bf16, 8, 128, 256, ta, tb>))                      \
    QUERN_MATMUL_KERNEL(128, 2, matmul_##name##_bf16_128, (run_mma<quern::bf16, 4, 128, 128, ta, tb>))                      \
    QUERN_MATMUL_KERNEL(128, 4, matmul_##name##_bf16_64, (run_mma<quern::bf16, 4, 64, 64, ta, tb>))

#define QUERN_MATMUL_KERNEL(threads, blocks, name, function)                                                                \
    QUERN_KERNEL_BLOCKS(threads, blocks, name, Problem p, RngKey rng, const unsigned* step) {                               \
        using namespace quern::matmul;                                                                                      \
        QUERN_MATMUL_UNPACK function({p, rng, step});                                                                       \
    }
#define QUERN_MATMUL_UNPACK(...) __VA_ARGS__

QUERN_MATMUL(nn, false, false)
QUERN_MATMUL(nt, false, true)
QUERN_MATMUL(tn, true, false)
QUERN_MATMUL(tt, true, true)

QUERN_KERNEL(256, matmul_finish, Problem problem, RngKey rng, const unsigned* step) {
    quern::matmul::Call p{problem, rng, step};
    constexpr int N = 8;
    int runs = quern::ceil_div(p.n, N);
    long long item = static_cast<long long>(p.m) * p.n, all = item * p.batch;
    quern::for_each(static_cast<long long>(p.batch) * p.m * runs, [&](long long i) {
        int column = static_cast<int>(i % runs) * N, valid = p.n - column;
        long long at = i / runs * p.n + column;
        bool whole = valid >= N && p.n % N == 0;
        quern::Vec<float, N> sum{};
        for (int split = 0; split < p.splits; split++) {
            auto part = quern::load_floats<N>(p.partial + split * all + at, whole, valid);
#pragma unroll
            for (int j = 0; j < N; j++) {
                sum[j] += part[j];
            }
        }
        quern::matmul::finish<N, true>(p, at / item * p.stride_c + at % item, column, valid, sum);
    });
}
