// y[row] = index of the row's largest element; the first of equal ones; NaN is larger than every number.
// arg_max_f32(const float* x, int* y, int64 rows, int columns)   a warp per row; block 256, grid up to ceil(rows / 8)
#include "ptx/warp.cuh"

namespace quern::arg_max {

/// Whether (value, index) comes before (other, at).
QUERN_DEVICE bool better(float value, int index, float other, int at) {
    bool nan = value != value, other_nan = other != other;
    if (nan || other_nan) {
        return nan && (!other_nan || index < at);
    }
    return value > other || (value == other && index < at);
}

}  // namespace quern::arg_max

QUERN_KERNEL(256, arg_max_f32, const float* x, int* y, long long rows, int columns) {
    using namespace quern;
    long long first = static_cast<long long>(blockIdx.x) * 8 + threadIdx.x / 32;
    for (long long row = first; row < rows; row += static_cast<long long>(gridDim.x) * 8) {
        float value = 0;
        int index = -1;
        for (int c = lane_id(); c < columns; c += 32) {
            float v = x[row * columns + c];
            if (index < 0 || arg_max::better(v, c, value, index)) {
                value = v;
                index = c;
            }
        }
        for (int distance = 16; distance > 0; distance /= 2) {
            float v = shuffle_xor(value, distance);
            int c = shuffle_xor(index, distance);
            if (c >= 0 && (index < 0 || arg_max::better(v, c, value, index))) {
                value = v;
                index = c;
            }
        }
        if (lane_id() == 0) {
            y[row] = index;
        }
    }
}
