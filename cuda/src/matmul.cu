// c = f(alpha op(a) op(b) + beta c + bias), f32, batched; op transposes for t. All tensors contiguous.
// matmul_{nn,nt,tn,tt}_f32_{128,64}(Problem p)     tile 128x128 or 64x64, block 256,
//   grid (ceil(n / tile), ceil(m / tile), batch * splits), grid.y <= 65535
// matmul_finish_f32(Problem p, int batch)          with splits > 1: adds the partial sums in order; elementwise grid
// Problem (104 bytes, by value): float *a, *b, *bias, *c, *preactivation, *partial; int m, n, k, (4 bytes of padding);
//   int64 stride_a, stride_b, stride_c (elements from one item of the batch to the next; 0 repeats an operand);
//   float alpha, beta; int activation, splits. bias, preactivation may be null; partial: [splits][batch][m][n] or null.
#include "elementwise.cuh"
#include "matmul.cuh"

using quern::matmul::Problem;
static_assert(sizeof(Problem) == 104);

#define QUERN_MATMUL(name, ta, tb)                                                                                   \
    QUERN_KERNEL(256, matmul_##name##_f32_128, Problem p) {                                                         \
        quern::matmul::run<128, 128, 8, 8, 8, ta, tb>(p);                                                            \
    }                                                                                                                \
    QUERN_KERNEL(256, matmul_##name##_f32_64, Problem p) { quern::matmul::run<64, 64, 4, 4, 16, ta, tb>(p); }

QUERN_MATMUL(nn, false, false)
QUERN_MATMUL(nt, false, true)
QUERN_MATMUL(tn, true, false)
QUERN_MATMUL(tt, true, true)

QUERN_KERNEL(256, matmul_finish_f32, Problem p, int batch) {
    long long item = static_cast<long long>(p.m) * p.n, all = item * batch;
    quern::for_each(all, [&](long long i) {
        float sum = 0;
        for (int split = 0; split < p.splits; split++) {
            sum += p.partial[split * all + i];
        }
        quern::matmul::finish(p, i / item * p.stride_c + i % item, static_cast<int>(i % p.n), sum);
    });
}
