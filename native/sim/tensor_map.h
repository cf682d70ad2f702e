// Tensor maps: what cuTensorMapEncode* writes into 128 bytes and TMA reads from them. The layout is the simulator's own.
#pragma once

#include <cstdint>

namespace quern::driver {

struct TensorMap {
    static constexpr uint32_t kMagic = 0x71756d70;
    uint32_t magic;
    uint8_t rank, type, element, im2col;
    uint64_t address;
    uint32_t last[5];      // sizes minus one
    uint32_t stride16[4];  // bytes / 16, of dimensions 1 .. rank - 1
    uint16_t box[5];
    int16_t lower[3], upper[3];
    uint16_t channels, pixels;
    uint8_t steps[5], swizzle, interleave, fill_nan;

    uint64_t size(int d) const { return uint64_t{last[d]} + 1; }
    uint64_t stride(int d) const { return d == 0 ? element : uint64_t{stride16[d - 1]} * 16; }
    /// Elements of the box along a dimension, in shared memory.
    unsigned extent(int d) const { return (box[d] + steps[d] - 1u) / steps[d]; }
    unsigned bytes() const;
};
static_assert(sizeof(TensorMap) <= 128);

/// Where swizzling puts a byte of shared memory. mode: 0 none, 1 32, 2 64, 3 128 bytes.
inline uint32_t swizzled(uint32_t address, int mode) {
    return mode == 0 ? address : address ^ (address >> 7 & ((1u << mode) - 1)) << 4;
}

}  // namespace quern::driver
