// Softmax of each row, and its gradient; one warp per row, in registers where it fits.
// softmax_f32(const float* x, float* y, int64 rows, int n)   y (rows, n) from x
// softmax_backward_f32(const float* y, const float* dy, float* dx, int64 rows, int n)   dx = y (dy - sum y dy)
// softmax_bf16, softmax_backward_bf16: the same with bf16 tensors
#include "exponential.cuh"
#include "held_row.cuh"
#include "sums.cuh"

namespace quern::softmax {

template <int Lanes, class T>
QUERN_DEVICE void forward(const T* x, T* y, int n) {
    float largest = -INFINITY;
    float sum = 0;
    if (held_row(n)) {
        HeldRow<Lanes> row;
        row.load(x, n, -INFINITY);
        row.each([&](float v) { largest = fmaxf(largest, v); });
        largest = warp_max(largest);
        row.each([&](float& v) {
            v = exponential<T>(v - largest);
            sum += v;
        });
        const Quotients share(warp_sum(sum));
        row.map(y, n, [=](int, float v) { return share.of(v); });
        return;
    }
    const int lane = lane_id();
    for_packs<Lanes>(n, lane, 32, [&](int, float v) { largest = max_of(largest, v); }, x);
    largest = warp_max(largest);
    for_packs<Lanes>(n, lane, 32, [&](int, float v) { sum += exponential<T>(v - largest); }, x);
    const Quotients share(warp_sum(sum));
    map_packs<Lanes>(y, n, lane, 32, [=](int, float v) { return share.of(exponential<T>(v - largest)); }, x);
}

template <int Lanes, class T>
QUERN_DEVICE void backward(const T* y, const T* dy, T* dx, int n) {
    const int lane = lane_id();
    double dot = 0;
    if (held_row(n)) {
        HeldRow<Lanes> row, gradient;
        row.load(y, n, 0);
        gradient.load(dy, n, 0);
        if constexpr (kIsBf16<T>) {  // whose products are exact
            dot = row.sum_of_eights([](float sum, float p, float d) { return fmaf(p, d, sum); }, gradient);
        } else {
            row.each([&](float p, float d) { dot += static_cast<double>(p) * d; }, gradient);
        }
        const float sum = static_cast<float>(warp_sum(dot));
        row.each([=](float& p, float d) { p *= d - sum; }, gradient);
        row.map(dx, n, [](int, float v) { return v; });
        return;
    }
    for_packs<Lanes>(n, lane, 32, [&](int, float p, float d) { dot += static_cast<double>(p) * d; }, y, dy);
    const float sum = static_cast<float>(warp_sum(dot));
    map_packs<Lanes>(dx, n, lane, 32, [&](int, float p, float d) { return p * (d - sum); }, y, dy);
}

}  // namespace quern::softmax

QUERN_KERNEL_BLOCKS_BY_DTYPE(128, 8, softmax, (const T* x, T* y, long long rows, int n), {
    const long long row = warp_row(), first = row * n;
    if (row < rows && packed_rows<T>(n)) {
        softmax::forward<kLanes<T>>(x + first, y + first, n);
    } else if (row < rows) {
        softmax::forward<1>(x + first, y + first, n);
    }
})

QUERN_KERNEL_BY_DTYPE(128, softmax_backward, (const T* y, const T* dy, T* dx, long long rows, int n), {
    const long long row = warp_row(), first = row * n;
    if (row < rows && packed_rows<T>(n)) {
        softmax::backward<kLanes<T>>(y + first, dy + first, dx + first, n);
    } else if (row < rows) {
        softmax::backward<1>(y + first, dy + first, dx + first, n);
    }
})
