// Tensor-core products of a warp (mma.sync) and loads of their fragments (ldmatrix). Compute capability 8.0.
//
// Fragments of m16n8k16, lane = 4 g + t: a[0] = A[g][2t, 2t+1], a[1] = A[g+8][..], a[2], a[3] the same 8 columns later;
// b[0] = B[2t, 2t+1][g], b[1] 8 rows later; d[0], d[1] = D[g][2t, 2t+1], d[2], d[3] 8 rows later.
#pragma once

#include "copy.cuh"
#include "warp.cuh"

namespace quern {

#if QUERN_SIM
namespace emulated {

struct Ldmatrix {
    const char* row;
    u32* target;
};

/// Lanes 8 i .. 8 i + 7 point to the rows of matrix i; lane 4 g + t gets elements 2t, 2t+1 of row g of each.
template <int Count, bool Transposed>
inline void ldmatrix(void* const* lanes, unsigned) {
    for (int matrix = 0; matrix < Count; matrix++) {
        u16 m[8][8];
        for (int row = 0; row < 8; row++) {
            std::memcpy(m[row], static_cast<Ldmatrix*>(lanes[matrix * 8 + row])->row, 16);
        }
        for (int lane = 0; lane < 32; lane++) {
            int g = lane / 4, t = lane % 4 * 2;
            u32 low = Transposed ? m[t][g] : m[g][t], high = Transposed ? m[t + 1][g] : m[g][t + 1];
            static_cast<Ldmatrix*>(lanes[lane])->target[matrix] = low | high << 16;
        }
    }
}

template <int Count, bool Transposed>
inline void ldmatrix(u32* target, const void* row) {
    Ldmatrix mine{static_cast<const char*>(row), target};
    if (lane_id() < Count * 8) {
        check_alignment(row, 16, "ldmatrix row");
    }
    sim::runtime->collective(kFullMask, &mine, ldmatrix<Count, Transposed>, "ldmatrix");
}

struct Mma {
    float* d;
    const u32 *a, *b;
};

inline float half_float(u16 bits) {
    u32 exponent = bits >> 10 & 31, fraction = bits & 1023, sign = static_cast<u32>(bits & 0x8000) << 16;
    if (exponent == 0) {
        float value = static_cast<float>(fraction) * 0x1p-24f;
        return sign != 0 ? -value : value;
    }
    return __uint_as_float(sign | (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | fraction << 13);
}

template <int Format>  // 0 bf16, 1 f16
inline float element(u32 pair, int which) {
    u16 bits = static_cast<u16>(pair >> 16 * which);
    return Format == 0 ? __uint_as_float(static_cast<u32>(bits) << 16) : half_float(bits);
}

inline void multiply(void* const* lanes, const float (&a)[16][16], const float (&b)[16][8], int depth) {
    float d[16][8];
    for (int lane = 0; lane < 32; lane++) {
        for (int i = 0; i < 4; i++) {
            d[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2] = static_cast<Mma*>(lanes[lane])->d[i];
        }
    }
    for (int k = 0; k < depth; k++) {
        for (int row = 0; row < 16; row++) {
            for (int column = 0; column < 8; column++) {
                d[row][column] += a[row][k] * b[k][column];
            }
        }
    }
    for (int lane = 0; lane < 32; lane++) {
        for (int i = 0; i < 4; i++) {
            static_cast<Mma*>(lanes[lane])->d[i] = d[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2];
        }
    }
}

template <int Format>
inline void mma16(void* const* lanes, unsigned) {
    float a[16][16], b[16][8];
    for (int lane = 0; lane < 32; lane++) {
        auto* mine = static_cast<Mma*>(lanes[lane]);
        int g = lane / 4, t = lane % 4 * 2;
        for (int i = 0; i < 4; i++) {
            for (int half = 0; half < 2; half++) {
                a[g + i % 2 * 8][t + i / 2 * 8 + half] = element<Format>(mine->a[i], half);
            }
        }
        for (int i = 0; i < 2; i++) {
            for (int half = 0; half < 2; half++) {
                b[t + i * 8 + half][g] = element<Format>(mine->b[i], half);
            }
        }
    }
    multiply(lanes, a, b, 16);
}

/// Hardware reads 19 of the 32 bits.
inline float tf32(u32 bits) { return __uint_as_float(bits & 0xffffe000u); }

inline void mma_tf32(void* const* lanes, unsigned) {
    float a[16][16], b[16][8];
    for (int lane = 0; lane < 32; lane++) {
        auto* mine = static_cast<Mma*>(lanes[lane]);
        int g = lane / 4, t = lane % 4;
        for (int i = 0; i < 4; i++) {
            a[g + i % 2 * 8][t + i / 2 * 4] = tf32(mine->a[i]);
        }
        for (int i = 0; i < 2; i++) {
            b[t + i * 4][g] = tf32(mine->b[i]);
        }
    }
    multiply(lanes, a, b, 8);
}

}  // namespace emulated
#endif

/// Four 8x8 matrices of 16-bit elements; lane l gives the address of row l % 8 of matrix l / 8.
QUERN_DEVICE void ldmatrix_x4(u32 (&d)[4], const void* row) {
#if QUERN_SIM
    emulated::ldmatrix<4, false>(d, row);
#else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
                 : "r"(shared_address(row))
                 : "memory");
#endif
}

/// The same, each matrix transposed.
QUERN_DEVICE void ldmatrix_x4_transposed(u32 (&d)[4], const void* row) {
#if QUERN_SIM
    emulated::ldmatrix<4, true>(d, row);
#else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
                 : "r"(shared_address(row))
                 : "memory");
#endif
}

/// One matrix; lanes 0..7 give its rows.
QUERN_DEVICE void ldmatrix_x1(u32 (&d)[1], const void* row) {
#if QUERN_SIM
    emulated::ldmatrix<1, false>(d, row);
#else
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(d[0]) : "r"(shared_address(row)) : "memory");
#endif
}

QUERN_DEVICE void ldmatrix_x1_transposed(u32 (&d)[1], const void* row) {
#if QUERN_SIM
    emulated::ldmatrix<1, true>(d, row);
#else
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];"
                 : "=r"(d[0])
                 : "r"(shared_address(row))
                 : "memory");
#endif
}

QUERN_DEVICE void ldmatrix_x2(u32 (&d)[2], const void* row) {
#if QUERN_SIM
    emulated::ldmatrix<2, false>(d, row);
#else
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];"
                 : "=r"(d[0]), "=r"(d[1])
                 : "r"(shared_address(row))
                 : "memory");
#endif
}

QUERN_DEVICE void ldmatrix_x2_transposed(u32 (&d)[2], const void* row) {
#if QUERN_SIM
    emulated::ldmatrix<2, true>(d, row);
#else
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
                 : "=r"(d[0]), "=r"(d[1])
                 : "r"(shared_address(row))
                 : "memory");
#endif
}

/// d += a b, 16x8x16, bf16 with f32 sums.
QUERN_DEVICE void mma_m16n8k16_bf16(float (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
#if QUERN_SIM
    emulated::Mma mine{d, a, b};
    sim::runtime->collective(kFullMask, &mine, emulated::mma16<0>, "mma.sync bf16");
#else
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

/// d += a b, 16x8x16, f16 with f32 sums.
QUERN_DEVICE void mma_m16n8k16_f16(float (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
#if QUERN_SIM
    emulated::Mma mine{d, a, b};
    sim::runtime->collective(kFullMask, &mine, emulated::mma16<1>, "mma.sync f16");
#else
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

/// d += a b, 16x8x8, tf32 with f32 sums. a[0] = A[g][t], a[1] = A[g+8][t], a[2], a[3] 4 columns later; b alike.
QUERN_DEVICE void mma_m16n8k8_tf32(float (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
#if QUERN_SIM
    emulated::Mma mine{d, a, b};
    sim::runtime->collective(kFullMask, &mine, emulated::mma_tf32, "mma.sync tf32");
#else
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

/// Rounded to the 10 bits of fraction of tf32, ties away from zero.
QUERN_DEVICE u32 to_tf32(float x) {
#if QUERN_SIM
    u32 bits = __float_as_uint(x);
    return (bits & 0x7f800000u) == 0x7f800000u ? bits : (bits + 0x1000u) & 0xffffe000u;
#else
    u32 bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
    return bits;
#endif
}

}  // namespace quern
