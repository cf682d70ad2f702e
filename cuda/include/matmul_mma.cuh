// The matrix product on tensor cores by mma.sync: bf16 operands, or f32 ones rounded to tf32; see mma_tile.cuh.
#pragma once

#include "matmul.cuh"
#include "mma_tile.cuh"

namespace quern::matmul {

template <class A, class B>
struct MmaSource {
    A a;
    B b;

    QUERN_DEVICE void load(char* tile_a, char* tile_b) {
        a.load(tile_a);
        b.load(tile_b);
    }

    QUERN_DEVICE void settle(char*, char*) {}
};

template <class T, int Warps, int BM, int BN, bool TransposeA, bool TransposeB>
QUERN_DEVICE void run_mma(const Call& p) {
    using A = MatrixOperand<T, BM, !TransposeA, false, 32 * Warps>;
    using B = MatrixOperand<T, BN, TransposeB, false, 32 * Warps>;
    using Tile = MmaTile<A, B, BM, BN, kMmaStages, Warps / 2>;
    char* memory;
    if constexpr (Tile::kBytes <= 48 * 1024) {
        QUERN_SHARED(char, fixed, [Tile::kBytes]);
        memory = fixed;
    } else {
        QUERN_DYNAMIC_SHARED(char, dynamic);
        memory = dynamic;
    }

    Part part(p, Tile::Depth, blockIdx.z);
    int row0, column0;
    tile_at(blockIdx.y * gridDim.x + blockIdx.x, gridDim.y, gridDim.x, row0, column0);
    row0 *= BM;
    column0 *= BN;
    MmaSource<A, B> source{
        {static_cast<const T*>(p.a) + part.batch * p.stride_a, TransposeA ? p.m : p.k, part.begin, part.end, row0, p.m},
        {static_cast<const T*>(p.b) + part.batch * p.stride_b, TransposeB ? p.k : p.n, part.begin, part.end, column0, p.n}};
    Tile tile;
    tile.multiply(memory, source, ceil_div(part.end - part.begin, Tile::Depth));
    tile.each(memory, [&](int row, int column, Vec<float, 8>& run) { deliver<8, true>(p, part, row0 + row, column0 + column, run); });
}

}  // namespace quern::matmul
