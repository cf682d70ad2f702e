// y[row] = index of the row's largest element; the first of equal ones; NaN is larger than every number.
// arg_max_f32(const float* x, int* y, int64 rows, int columns)   a warp per row; block 256, grid up to ceil(rows / 8)
// arg_max_bf16: the same with x in bf16
#include "packs.cuh"
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

template <int Lanes, class T>
QUERN_DEVICE void run(const T* x, int* y, long long rows, int columns) {
    long long first = static_cast<long long>(blockIdx.x) * 8 + threadIdx.x / 32;
    for (long long row = first; row < rows; row += static_cast<long long>(gridDim.x) * 8) {
        float value = 0;
        int index = -1;
        auto offer = [&](int c, float v) {
            if (c >= 0 && (index < 0 || better(v, c, value, index))) {
                value = v;
                index = c;
            }
        };
        for_packs<Lanes>(columns, lane_id(), 32, offer, x + row * columns);
        for (int distance = 16; distance > 0; distance /= 2) {
            float v = shuffle_xor(value, distance);
            offer(shuffle_xor(index, distance), v);
        }
        if (lane_id() == 0) {
            y[row] = index;
        }
    }
}

}  // namespace quern::arg_max

QUERN_KERNEL_BY_DTYPE(256, arg_max, (const T* x, int* y, long long rows, int columns), {
    if (packed_rows<T>(columns)) {
        arg_max::run<kLanes<T>>(x, y, rows, columns);
    } else {
        arg_max::run<1>(x, y, rows, columns);
    }
})
