// Loops over a matrix (rows, channels) whose threads keep their channels: what depends on the channel is computed once.
#pragma once

#include "types.cuh"

namespace quern {

/// Blocks are (threads along the channels, rows) in size, the grid likewise: ChannelLaunch of the Java side. setup(channel) is
/// called once and gives body(element, Vec<float, Lanes> of x there), whose result goes to y; y may be x.
template <int Lanes, class T, class Setup>
QUERN_DEVICE void map_channels(const T* x, T* y, long long rows, int channels, Setup setup) {
    const int channel = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * Lanes;
    if (channel >= channels) {
        return;
    }
    auto body = setup(channel);
    const long long step = static_cast<long long>(gridDim.y) * blockDim.y;
    for (long long row = static_cast<long long>(blockIdx.y) * blockDim.y + threadIdx.y; row < rows; row += step) {
        const long long at = row * channels + channel;
        store_floats(y + at, body(at, load_floats<Lanes>(x + at)));
    }
}

}  // namespace quern
