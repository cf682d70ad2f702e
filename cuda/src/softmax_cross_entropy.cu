// Softmax and the loss of a classifier, and their gradient. A label outside the classes makes the loss NaN: a kernel
// cannot throw. Logits and their gradient are f32 or bf16, all else is f32: the probabilities too, since one that bf16 rounds to
// 1 would have no gradient.
#include "sums.cuh"

namespace quern::cross_entropy {

QUERN_DEVICE double weight(const float* weights, int label) { return weights == nullptr ? 1.0 : weights[label]; }

QUERN_DEVICE bool known(int label, int n) { return label >= 0 && label < n; }

template <int Lanes, class T>
QUERN_DEVICE void forward(const T* logits, int label, const float* weights, float* probabilities, double* row_loss,
                          double* row_divisor, int n, int ignore, double smoothing) {
    const int lane = lane_id();
    float largest = -INFINITY;
    for_packs<Lanes>(n, lane, 32, [&](int, float v) { largest = max_of(largest, v); }, logits);
    largest = warp_max(largest);
    float sum = 0;
    for_packs<Lanes>(n, lane, 32, [&](int, float v) { sum += expf(v - largest); }, logits);
    sum = warp_sum(sum);
    map_packs<Lanes>(probabilities, n, lane, 32, [&](int, float v) { return expf(v - largest) / sum; }, logits);
    const double log_sum = log(static_cast<double>(sum));
    const double shift = static_cast<double>(largest) + log_sum;
    double loss = 0;
    double divisor = 0;
    if (label != ignore) {
        divisor = known(label, n) ? weight(weights, label) : __longlong_as_double(0x7ff8000000000000LL);
        if (smoothing == 0) {
            loss = known(label, n) ? divisor * (shift - to_float(logits[label])) : divisor;
        } else {
            for_packs<Lanes>(n, lane, 32, [&](int i, float v) {
                const double own = i == label ? (1.0 - smoothing) * divisor : 0;
                loss += (own + smoothing / n * weight(weights, i)) * (shift - v);
            }, logits);
            loss = warp_sum(loss);
        }
    }
    if (lane == 0) {
        *row_loss = loss;
        *row_divisor = divisor;
    }
}

struct Target {
    const float* weights;
    int label;
    double own, spread;

    /// q of a class.
    QUERN_DEVICE double operator[](int c) const {
        return (c == label ? own : 0) + (spread == 0 ? 0 : spread * weight(weights, c));
    }
};

template <int Lanes, class T>
QUERN_DEVICE void backward(const float* probabilities, T* dlogits, int n, double scale, double mass, const Target& target) {
    map_packs<Lanes>(dlogits, n, lane_id(), 32, [&](int c, float p) {
        return static_cast<float>(scale * (p * mass - target[c]));
    }, probabilities);
}

}  // namespace quern::cross_entropy

/// probabilities (rows, n); losses and divisors, a double per row each, go to softmax_cross_entropy_mean_f32.
QUERN_KERNEL_BY_DTYPE(128, softmax_cross_entropy, (const T* logits, const int* labels, const float* weights, float* probabilities,
                      double* losses, double* divisors, long long rows, int n, int ignore, double smoothing), {
    const long long row = warp_row(), first = row * n;
    if (row < rows && packed_rows<T>(n)) {
        cross_entropy::forward<kLanes<T>>(logits + first, labels[row], weights, probabilities + first, losses + row,
                                          divisors + row, n, ignore, smoothing);
    } else if (row < rows) {
        cross_entropy::forward<1>(logits + first, labels[row], weights, probabilities + first, losses + row, divisors + row, n,
                                  ignore, smoothing);
    }
})

/// loss = sum of losses / sum of divisors, 0 if that is 0; one block.
QUERN_KERNEL(256, softmax_cross_entropy_mean_f32, const double* losses, const double* divisors, float* loss,
             long long rows) {
    QUERN_SHARED(double, scratch, [8]);
    double sum = 0;
    double divisor = 0;
    for (long long i = threadIdx.x; i < rows; i += 256) {
        sum += losses[i];
        divisor += divisors[i];
    }
    sum = quern::block_sum<256>(sum, scratch);
    divisor = quern::block_sum<256>(divisor, scratch);
    if (threadIdx.x == 0) {
        *loss = divisor == 0 ? 0.0f : static_cast<float>(sum / divisor);
    }
}

/// totals[0] = sum over rows of w[label], totals[1] = sum of w; one block.
QUERN_KERNEL(256, softmax_cross_entropy_totals_f32, const int* labels, const float* weights, double* totals,
             long long rows, int n, int ignore) {
    QUERN_SHARED(double, scratch, [8]);
    double divisor = 0;
    double mass = 0;
    for (long long i = threadIdx.x; i < rows; i += 256) {
        divisor += labels[i] == ignore ? 0
                   : quern::cross_entropy::known(labels[i], n) ? quern::cross_entropy::weight(weights, labels[i])
                                         : __longlong_as_double(0x7ff8000000000000LL);
    }
    for (int i = static_cast<int>(threadIdx.x); i < n; i += 256) {
        mass += quern::cross_entropy::weight(weights, i);
    }
    divisor = quern::block_sum<256>(divisor, scratch);
    mass = quern::block_sum<256>(mass, scratch);
    if (threadIdx.x == 0) {
        totals[0] = divisor;
        totals[1] = mass;
    }
}

/// dlogits = dloss / totals[0] (p sum_k q_k - q); one warp per row; dlogits may be the probabilities.
QUERN_KERNEL_BY_DTYPE(128, softmax_cross_entropy_backward, (const float* probabilities, const int* labels, const float* weights,
                      const float* dloss, const double* totals, T* dlogits, long long rows, int n, int ignore,
                      double smoothing), {
    const long long row = warp_row(), first = row * n;
    if (row >= rows) {
        return;
    }
    const int label = labels[row];
    if (label == ignore) {
        for (int c = lane_id(); c < n; c += 32) {
            dlogits[first + c] = from_float<T>(0.0f);
        }
        return;
    }
    // the divisions first, while little else is in registers
    const double scale = totals[0] == 0 ? 0 : *dloss / totals[0];
    const double spread = smoothing == 0 ? 0 : smoothing / n;
    const double own = cross_entropy::known(label, n) ? (1.0 - smoothing) * cross_entropy::weight(weights, label) : 0;
    const double mass = own + (smoothing == 0 ? 0 : spread * totals[1]);
    const cross_entropy::Target target{weights, label, own, spread};
    if (packed_rows<T>(n)) {
        cross_entropy::backward<kLanes<T>>(probabilities + first, dlogits + first, n, scale, mass, target);
    } else {
        cross_entropy::backward<1>(probabilities + first, dlogits + first, n, scale, mass, target);
    }
})
