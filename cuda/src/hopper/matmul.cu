// c = d(f(alpha op(a) op(b) + beta c + bias)) of bf16 operands, as cuda/src/matmul.cu, with TMA and wgmma.
// matmul_{nn,nt,tn,tt}_bf16_{256,128}(TensorMap a, TensorMap b, Problem p, RngKey rng, const u32* step)
//   tile 128 x 256 or 128 x 128, block 384
//   grid: as many blocks as the GPU has processors, or one per tile if there are fewer; dynamic shared memory as below
//   a, b: 3-dimensional maps {contiguous, other, batch} of bf16, swizzled by 128 bytes; boxes of 64 along the contiguous axis by the
//   tile's rows (a) or columns (b) where that axis is k, else by 64
//   Every part of k (p.splits) has at least one element; with splits > 1 matmul_finish of the base module follows.
// gate: matmul_nn_bf16_256 217152
// gate: matmul_nt_bf16_256 217152
// gate: matmul_tn_bf16_256 217152
// gate: matmul_tt_bf16_256 217152
// gate: matmul_nn_bf16_128 217184
// gate: matmul_nt_bf16_128 217184
// gate: matmul_tn_bf16_128 217184
// gate: matmul_tt_bf16_128 217184
#include "matmul_hopper.cuh"

using quern::TensorMap;
using quern::matmul::Problem;
static_assert(quern::matmul::hopper::Shape<256>::kBytes == 217152 && quern::matmul::hopper::Shape<128>::kBytes == 217184);

#define QUERN_MATMUL_HOPPER(name, ta, tb, columns)                                                                        \
    QUERN_KERNEL(384, matmul_##name##_bf16_##columns, QUERN_GRID_CONSTANT TensorMap a, QUERN_GRID_CONSTANT TensorMap b,   \
                 Problem p, quern::RngKey rng, const unsigned* step) {                                                    \
        quern::matmul::hopper::run<columns, ta, tb>(&a, &b, {p, rng, step});                                                  \
    }

QUERN_MATMUL_HOPPER(nn, false, false, 256)
QUERN_MATMUL_HOPPER(nt, false, true, 256)
QUERN_MATMUL_HOPPER(tn, true, false, 256)
QUERN_MATMUL_HOPPER(tt, true, true, 256)
QUERN_MATMUL_HOPPER(nn, false, false, 128)
QUERN_MATMUL_HOPPER(nt, false, true, 128)
QUERN_MATMUL_HOPPER(tn, true, false, 128)
QUERN_MATMUL_HOPPER(tt, true, true, 128)
