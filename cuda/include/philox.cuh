// Philox4x32-10 and the counters of io.quern.tensor.Rng: the same bits as there.
// Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

#include "types.cuh"

namespace quern {

/// A generator: seed, stream and step of Rng. step may lie in device memory, so that a captured graph can go on.
struct RngKey {
    u32 seed_low, seed_high, stream, step;
};

/// The four words of a block of the generator.
QUERN_DEVICE void philox(const RngKey& rng, u64 block, u32 (&out)[4]) {
    u32 c0 = static_cast<u32>(block), c1 = static_cast<u32>(block >> 32), c2 = rng.step, c3 = rng.stream;
    u32 k0 = rng.seed_low, k1 = rng.seed_high;
#pragma unroll
    for (int round = 0; round < 10; round++) {
        u32 high0 = __umulhi(0xD2511F53u, c0), low0 = 0xD2511F53u * c0;
        u32 high1 = __umulhi(0xCD9E8D57u, c2), low1 = 0xCD9E8D57u * c2;
        c0 = high1 ^ c1 ^ k0;
        c2 = high0 ^ c3 ^ k1;
        c1 = low1;
        c3 = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/// Lane 0..7 of 16 bits: the low half of word 0 first.
QUERN_DEVICE u32 lane16(const u32 (&words)[4], int lane) { return words[lane >> 1] >> ((lane & 1) << 4) & 0xffff; }

}  // namespace quern
