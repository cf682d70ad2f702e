// Loops over a matrix (rows, channels) whose threads keep their channels: what depends on the channel is computed once.
#pragma once

#include "packs.cuh"

namespace quern {

/// Blocks are (threads along the channels, rows) in size; those along y take slabs of kSlabSteps times their rows: ChannelLaunch
/// of the Java side. setup(channel) is called once and gives body(Raw<T, Lanes>[] of the arrays there), whose result goes to
/// y, which may be one of the arrays. AtOnce rows of a thread are loaded before any of them is stored. The last slabs come first:
/// where sums were taken before, that pass ended there, and the cache may still have them.
constexpr int kSlabSteps = 8;
template <int Lanes, int AtOnce, class T, class Setup, class... Arrays>
QUERN_DEVICE void map_channels(T* y, long long rows, int channels, Setup setup, Arrays... arrays) {
    const int channel = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * Lanes;
    if (channel >= channels) {
        return;
    }
    auto body = setup(channel);
    const int slab_rows = static_cast<int>(blockDim.y) * kSlabSteps;
    const long long slabs = (rows + slab_rows - 1) >> (31 - __clz(slab_rows));  // a power of two
    for (long long slab = slabs - 1 - blockIdx.y; slab >= 0; slab -= gridDim.y) {
        const long long first = slab * slab_rows + threadIdx.y;
#pragma unroll 1
        for (int step = 0; step < kSlabSteps; step += AtOnce) {
            Raw<T, Lanes> values[AtOnce][sizeof...(Arrays)];
            long long places[AtOnce];
#pragma unroll
            for (int j = 0; j < AtOnce; j++) {
                const long long row = first + (step + j) * static_cast<int>(blockDim.y);
                places[j] = min_of(row, rows - 1) * channels + channel;
                int array = 0;
                (values[j][array++].load(arrays + places[j]), ...);
            }
#pragma unroll
            for (int j = 0; j < AtOnce; j++) {
                if (first + (step + j) * static_cast<int>(blockDim.y) < rows) {
                    store_floats(y + places[j], body(values[j]));
                }
            }
        }
    }
}

}  // namespace quern
