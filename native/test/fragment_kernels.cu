// Single instructions with the registers of every lane from and to global memory, so that a test sees their layouts.
#include "ptx.cuh"

using namespace quern;

/// d += a b with registers a[lane][4], b[lane][2], d[lane][4]. kind: 0 bf16, 1 f16 (16x8x16), 2 tf32 (16x8x8).
QUERN_KERNEL(32, fragment_product, const unsigned* a, const unsigned* b, float* d, int kind) {
    unsigned lane = threadIdx.x;
    u32 x[4], y[2];
    float sums[4];
    for (int i = 0; i < 4; i++) {
        x[i] = a[lane * 4 + i];
        sums[i] = d[lane * 4 + i];
    }
    for (int i = 0; i < 2; i++) {
        y[i] = b[lane * 2 + i];
    }
    if (kind == 0) {
        mma_m16n8k16_bf16(sums, x, y);
    } else if (kind == 1) {
        mma_m16n8k16_f16(sums, x, y);
    } else {
        mma_m16n8k8_tf32(sums, x, y);
    }
    for (int i = 0; i < 4; i++) {
        d[lane * 4 + i] = sums[i];
    }
}

/// Four 8x8 matrices of 16-bit numbers, one below the other, through shared memory; y[lane][count].
QUERN_KERNEL(32, fragment_load, const u16* x, unsigned* y, int count, int transposed) {
    QUERN_SHARED(u16, rows, [32 * 8]);
    unsigned lane = threadIdx.x;
    for (int i = 0; i < 8; i++) {
        rows[lane * 8 + i] = x[lane * 8 + i];
    }
    block_barrier();
    const u16* row = rows + lane % (8 * count) * 8;
    u32 one[1], two[2], four[4];
    if (count == 1) {
        transposed ? ldmatrix_x1_transposed(one, row) : ldmatrix_x1(one, row);
        y[lane] = one[0];
    } else if (count == 2) {
        transposed ? ldmatrix_x2_transposed(two, row) : ldmatrix_x2(two, row);
        for (int i = 0; i < 2; i++) {
            y[lane * 2 + i] = two[i];
        }
    } else {
        transposed ? ldmatrix_x4_transposed(four, row) : ldmatrix_x4(four, row);
        for (int i = 0; i < 4; i++) {
            y[lane * 4 + i] = four[i];
        }
    }
}

namespace {

/// Copies n tiles of 32 pieces through a ring of 3 slots; every third piece is left out.
template <int Bytes>
QUERN_DEVICE void ring(const char* x, char* y, int n, bool waits) {
    QUERN_SHARED(char, slots, [3 * 32 * Bytes]);
    char* mine = slots + threadIdx.x * Bytes;
    auto start = [&](int tile) {
        if (tile < n) {
            int piece = tile * 32 + static_cast<int>(threadIdx.x);
            copy_async<Bytes>(mine + tile % 3 * 32 * Bytes, x + piece * Bytes, piece % 3 != 2);
        }
        copy_commit();
    };
    start(0);
    start(1);
    for (int tile = 0; tile < n; tile++) {
        if (waits) {
            copy_wait<1>();
        }
        for (int i = 0; i < Bytes; i++) {
            y[(tile * 32 + static_cast<int>(threadIdx.x)) * Bytes + i] = mine[tile % 3 * 32 * Bytes + i];
        }
        start(tile + 2);
    }
    copy_wait<0>();
}

}  // namespace

QUERN_KERNEL(32, ring_4, const char* x, char* y, int n, int waits) { ring<4>(x, y, n, waits != 0); }
QUERN_KERNEL(32, ring_8, const char* x, char* y, int n, int waits) { ring<8>(x, y, n, waits != 0); }
QUERN_KERNEL(32, ring_16, const char* x, char* y, int n, int waits) { ring<16>(x, y, n, waits != 0); }
