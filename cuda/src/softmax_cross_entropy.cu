// Softmax and the loss of a classifier, and their gradient. A label outside the classes makes the loss NaN: a kernel
// cannot throw.
#include "sums.cuh"

namespace quern::cross_entropy {

QUERN_DEVICE double weight(const float* weights, int label) { return weights == nullptr ? 1.0 : weights[label]; }

QUERN_DEVICE bool known(int label, int n) { return label >= 0 && label < n; }

}  // namespace quern::cross_entropy

/// probabilities (rows, n); losses and divisors, a double per row each, go to softmax_cross_entropy_mean_f32.
QUERN_KERNEL(128, softmax_cross_entropy_f32, const float* logits, const int* labels, const float* weights,
             float* probabilities, double* losses, double* divisors, long long rows, int n, int ignore,
             double smoothing) {
    const long long row = quern::warp_row();
    const int lane = static_cast<int>(threadIdx.x % 32);
    if (row >= rows) {
        return;
    }
    const float* in = logits + row * n;
    float largest = -INFINITY;
    for (int i = lane; i < n; i += 32) {
        largest = quern::max_of(largest, in[i]);
    }
    largest = quern::warp_max(largest);
    float sum = 0;
    for (int i = lane; i < n; i += 32) {
        sum += expf(in[i] - largest);
    }
    sum = quern::warp_sum(sum);
    for (int i = lane; i < n; i += 32) {
        probabilities[row * n + i] = expf(in[i] - largest) / sum;
    }
    const int label = labels[row];
    const double log_sum = log(static_cast<double>(sum));
    const double shift = static_cast<double>(largest) + log_sum;
    double loss = 0;
    double divisor = 0;
    if (label != ignore) {
        divisor = quern::cross_entropy::known(label, n) ? quern::cross_entropy::weight(weights, label) : __longlong_as_double(0x7ff8000000000000LL);
        if (smoothing == 0) {
            loss = quern::cross_entropy::known(label, n) ? divisor * (shift - in[label]) : divisor;
        } else {
            for (int i = lane; i < n; i += 32) {
                const double own = i == label ? (1.0 - smoothing) * divisor : 0;
                loss += (own + smoothing / n * quern::cross_entropy::weight(weights, i)) * (shift - in[i]);
            }
            loss = quern::warp_sum(loss);
        }
    }
    if (lane == 0) {
        losses[row] = loss;
        divisors[row] = divisor;
    }
}

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

/// dlogits = dloss / totals[0] (p sum_k q_k - q); one warp per row.
QUERN_KERNEL(128, softmax_cross_entropy_backward_f32, const float* probabilities, const int* labels,
             const float* weights, const float* dloss, const double* totals, float* dlogits, long long rows, int n,
             int ignore, double smoothing) {
    const long long row = quern::warp_row();
    if (row >= rows) {
        return;
    }
    const int lane = static_cast<int>(threadIdx.x % 32), label = labels[row];
    using quern::cross_entropy::weight;
    // the divisions first, while little else is in registers
    const double scale = totals[0] == 0 ? 0 : *dloss / totals[0];
    const double spread = smoothing == 0 ? 0 : smoothing / n;
    float* out = dlogits + row * n;
    if (label == ignore) {
        for (int c = lane; c < n; c += 32) {
            out[c] = 0;
        }
        return;
    }
    const double own = quern::cross_entropy::known(label, n) ? (1.0 - smoothing) * weight(weights, label) : 0;
    const double mass = own + (smoothing == 0 ? 0 : spread * totals[1]);
    for (int c = lane; c < n; c += 32) {
        const double target = (c == label ? own : 0) + (smoothing == 0 ? 0 : spread * weight(weights, c));
        out[c] = static_cast<float>(scale * (probabilities[row * n + c] * mass - target));
    }
}
