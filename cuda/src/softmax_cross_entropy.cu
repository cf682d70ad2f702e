// Softmax and the loss of a classifier, and their gradient. A label outside the classes makes the loss NaN: a kernel
// cannot throw. Logits and their gradient are f32 or bf16, all else is f32: the probabilities too, since one that bf16 rounds to
// 1 would have no gradient.
#include "held_row.cuh"
#include "ptx/launch.cuh"
#include "sums.cuh"

namespace quern::cross_entropy {

QUERN_DEVICE double weight(const float* weights, int label) { return weights == nullptr ? 1.0 : weights[label]; }

QUERN_DEVICE bool known(int label, int n) { return label >= 0 && label < n; }

/// A row's probabilities, its largest logit and the sum of exp(logit - largest).
template <int Lanes, class T>
QUERN_DEVICE void probabilities_of(const T* logits, float* probabilities, int n, float& largest, float& sum) {
    const int lane = lane_id();
    largest = -INFINITY;
    sum = 0;
    if (held_row(n)) {
        HeldRow<Lanes> row;
        row.load(logits, n, -INFINITY);
        row.each([&](float v) { largest = max_of(largest, v); });
        largest = warp_max(largest);
        row.each([&](float& v) {
            v = expf(v - largest);
            sum += v;
        });
        sum = warp_sum(sum);
        const Quotients share(sum);
        row.map(probabilities, n, [=](int, float v) { return share.of(v); });
        return;
    }
    for_packs<Lanes>(n, lane, 32, [&](int, float v) { largest = max_of(largest, v); }, logits);
    largest = warp_max(largest);
    for_packs<Lanes>(n, lane, 32, [&](int, float v) { sum += expf(v - largest); }, logits);
    sum = warp_sum(sum);
    const Quotients share(sum);
    map_packs<Lanes>(probabilities, n, lane, 32, [&](int, float v) { return share.of(expf(v - largest)); }, logits);
}

/// Writes the probabilities of a row; the first lane gets the weighted loss and the weight.
template <int Lanes, class T>
QUERN_DEVICE Pair forward(const T* logits, int label, const float* weights, float* probabilities, int n, int ignore,
                          double smoothing) {
    const bool counts = label != ignore, right = known(label, n);
    // both under way with the row
    const double divisor = !counts ? 0 : right ? weight(weights, label) : __longlong_as_double(0x7ff8000000000000LL);
    const float own = counts && right ? to_float(logits[label]) : 0;
    float largest, sum;
    probabilities_of<Lanes>(logits, probabilities, n, largest, sum);
    if (!counts) {
        return {0, 0};
    }
    const double shift = static_cast<double>(largest) + log(static_cast<double>(sum));
    if (smoothing == 0) {
        return {right ? divisor * (shift - own) : divisor, divisor};
    }
    double loss = 0;
    for_packs<Lanes>(n, lane_id(), 32, [&](int i, float v) {
        const double share = i == label ? (1.0 - smoothing) * divisor : 0;
        loss += (share + smoothing / n * weight(weights, i)) * (shift - v);
    }, logits);
    return {warp_sum(loss), divisor};
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
    const auto gradient = [=](int c, float p) { return static_cast<float>(scale * (p * mass - target[c])); };
    if (held_row(n)) {
        HeldRow<Lanes> row;
        row.load(probabilities, n, 0);
        row.map(dlogits, n, gradient);
    } else {
        map_packs<Lanes>(dlogits, n, lane_id(), 32, gradient, probabilities);
    }
}

}  // namespace quern::cross_entropy

/// probabilities (rows, n), and each block's sums of losses and divisors for softmax_cross_entropy_mean_f32.
QUERN_KERNEL_BLOCKS_BY_DTYPE(128, 6, softmax_cross_entropy, (const T* logits, const int* labels, const float* weights, float* probabilities,
                      Pair* partial, long long rows, int n, int ignore, double smoothing), {
    overlap_launches();
    QUERN_SHARED(Pair, terms, [kRowThreads / 32]);
    const long long row = warp_row(), first = row * n;
    Pair own{0, 0};
    if (row < rows && packed_rows<T>(n)) {
        own = cross_entropy::forward<kLanes<T>>(logits + first, labels[row], weights, probabilities + first, n, ignore, smoothing);
    } else if (row < rows) {
        own = cross_entropy::forward<1>(logits + first, labels[row], weights, probabilities + first, n, ignore, smoothing);
    }
    if (lane_id() == 0) {
        terms[threadIdx.x / 32] = own;
    }
    block_barrier();
    if (threadIdx.x == 0) {
        for (int i = 1; i < kRowThreads / 32; i++) {
            own.a += terms[i].a;
            own.b += terms[i].b;
        }
        partial[blockIdx.x] = own;
    }
})

/// loss = sum of losses / sum of divisors, 0 if that is 0; one block.
QUERN_KERNEL(1024, softmax_cross_entropy_mean_f32, const quern::Pair* partial, float* loss, long long count) {
    quern::overlap_launches();
    QUERN_SHARED(double, scratch, [32]);
    double sum = 0;
    double divisor = 0;
#pragma unroll 8
    for (long long i = threadIdx.x; i < count; i += 1024) {
        const quern::Pair term = partial[i];
        sum += term.a;
        divisor += term.b;
    }
    sum = quern::block_sum<1024>(sum, scratch);
    divisor = quern::block_sum<1024>(divisor, scratch);
    if (threadIdx.x == 0) {
        *loss = divisor == 0 ? 0.0f : static_cast<float>(sum / divisor);
    }
}

/// totals[0] = sum over rows of w[label], totals[1] = sum of w; one block.
QUERN_KERNEL(1024, softmax_cross_entropy_totals_f32, const int* labels, const float* weights, double* totals,
             long long rows, int n, int ignore) {
    quern::overlap_launches();
    QUERN_SHARED(double, scratch, [32]);
    double divisor = 0;
    double mass = 0;
#pragma unroll 16
    for (long long i = threadIdx.x; i < rows; i += 1024) {
        const int label = labels[i];
        divisor += label == ignore ? 0
                   : quern::cross_entropy::known(label, n) ? quern::cross_entropy::weight(weights, label)
                                         : __longlong_as_double(0x7ff8000000000000LL);
    }
    for (int i = static_cast<int>(threadIdx.x); i < n; i += 1024) {
        mass += quern::cross_entropy::weight(weights, i);
    }
    divisor = quern::block_sum<1024>(divisor, scratch);
    mass = quern::block_sum<1024>(mass, scratch);
    if (threadIdx.x == 0) {
        totals[0] = divisor;
        totals[1] = mass;
    }
}

/// dlogits = dloss / totals[0] (p sum_k q_k - q); one warp per row; dlogits may be the probabilities.
QUERN_KERNEL_BLOCKS_BY_DTYPE(128, 5, softmax_cross_entropy_backward, (const float* probabilities, const int* labels, const float* weights,
                      const float* dloss, const double* totals, T* dlogits, long long rows, int n, int ignore,
                      double smoothing), {
    overlap_launches();
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
