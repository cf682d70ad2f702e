// Batch normalisation over all axes but the last, with the batch's statistics or the running ones, and the gradients.
// Channel sums are taken in chunks of rows; x: (rows, channels).
#include "channels.cuh"
#include "sums.cuh"

namespace quern::batch_norm {

template <int Lanes>
QUERN_DEVICE void sums(const float* x, double* partial, long long rows, int channels, long long chunk) {
    column_sums<Lanes>(rows, channels, chunk, partial, [=](long long row, int c) {
        const Vec<float, Lanes> values = load_vec<float, Lanes>(x + row * channels + c);
        Vec<Pair, Lanes> out;
#pragma unroll
        for (int i = 0; i < Lanes; i++) {
            const double value = values[i];
            out[i] = {value, value * value};
        }
        return out;
    });
}

template <int Lanes>
QUERN_DEVICE void backward_sums(const float* x, const float* dy, const float* mean, double* partial, long long rows,
                                int channels, long long chunk) {
    column_sums<Lanes>(rows, channels, chunk, partial, [=](long long row, int c) {
        const long long at = row * channels + c;
        const Vec<float, Lanes> values = load_vec<float, Lanes>(x + at), gradients = load_vec<float, Lanes>(dy + at),
                                means = load_vec<float, Lanes>(mean + c);
        Vec<Pair, Lanes> out;
#pragma unroll
        for (int i = 0; i < Lanes; i++) {
            const double gradient = gradients[i];
            out[i] = {gradient * (static_cast<double>(values[i]) - means[i]), gradient};
        }
        return out;
    });
}

/// y = (x - mean) inverse gamma + beta.
template <int Lanes, class Inverse>
QUERN_DEVICE void normalize(const float* x, const float* gamma, const float* beta, const float* mean, Inverse inverse_of,
                            float* y, long long rows, int channels) {
    map_channels<Lanes>(x, y, rows, channels, [&](int channel) {
        const Vec<float, Lanes> m = load_vec<float, Lanes>(mean + channel), g = load_vec<float, Lanes>(gamma + channel),
                                b = load_vec<float, Lanes>(beta + channel);
        Vec<float, Lanes> inverse;
#pragma unroll
        for (int i = 0; i < Lanes; i++) {
            inverse[i] = inverse_of(channel + i);
        }
        return [=](long long, Vec<float, Lanes> value) {
#pragma unroll
            for (int i = 0; i < Lanes; i++) {
                value[i] = (value[i] - m[i]) * inverse[i] * g[i] + b[i];
            }
            return value;
        };
    });
}

/// dx = gamma inverse (dy - dbeta / rows - h dgamma / rows), in double, where a large intermediate value is no infinity yet.
template <int Lanes>
QUERN_DEVICE void backward(const float* x, const float* dy, const float* gamma, const float* mean, const float* inverse,
                           const float* dgamma, const float* dbeta, float* dx, long long rows, int channels) {
    map_channels<Lanes>(dy, dx, rows, channels, [&](int channel) {
        const double count = static_cast<double>(rows);
        Vec<double, Lanes> m, deviation, scale, mean_gradient, mean_product;
#pragma unroll
        for (int i = 0; i < Lanes; i++) {
            const int c = channel + i;
            m[i] = mean[c];
            deviation[i] = inverse[c];
            scale[i] = gamma[c] * deviation[i];
            mean_gradient[i] = dbeta[c] / count;
            mean_product[i] = dgamma[c] / count;
        }
        return [=](long long at, Vec<float, Lanes> value) {
            const Vec<float, Lanes> from = load_vec<float, Lanes>(x + at);
#pragma unroll
            for (int i = 0; i < Lanes; i++) {
                const double h = (static_cast<double>(from[i]) - m[i]) * deviation[i];
                value[i] = static_cast<float>(scale[i] * (value[i] - mean_gradient[i] - h * mean_product[i]));
            }
            return value;
        };
    });
}

/// dx = gamma inverse dy.
template <int Lanes>
QUERN_DEVICE void scale(const float* dy, const float* gamma, const float* variance, float* dx, long long rows, int channels,
                        double epsilon) {
    map_channels<Lanes>(dy, dx, rows, channels, [&](int channel) {
        Vec<float, Lanes> factor;
#pragma unroll
        for (int i = 0; i < Lanes; i++) {
            factor[i] = gamma[channel + i] * static_cast<float>(1.0 / sqrt(variance[channel + i] + epsilon));
        }
        return [=](long long, Vec<float, Lanes> value) {
#pragma unroll
            for (int i = 0; i < Lanes; i++) {
                value[i] *= factor[i];
            }
            return value;
        };
    });
}

}  // namespace quern::batch_norm

/// Sums of x and x^2.
QUERN_KERNEL(256, batch_norm_sums_f32, const float* x, double* partial, long long rows, int channels,
             long long chunk) {
    if (channels % 4 == 0 && quern::aligned16(x)) {
        quern::batch_norm::sums<4>(x, partial, rows, channels, chunk);
    } else {
        quern::batch_norm::sums<1>(x, partial, rows, channels, chunk);
    }
}

/// The statistics of each channel, and the running ones moved; one thread per channel.
QUERN_KERNEL(256, batch_norm_statistics_f32, const double* partial, float* running_mean, float* running_variance,
             float* mean, float* inverse, long long rows, int channels, int chunks, double epsilon, double momentum) {
    const int c = static_cast<int>(quern::global_index());
    if (c >= channels) {
        return;
    }
    const quern::Pair sums = quern::column_total(partial, chunks, channels, c);
    const double count = static_cast<double>(rows);
    const double m = sums.a / count;
    double variance = sums.b / count - m * m;
    variance = variance < 0 ? 0 : variance;
    mean[c] = static_cast<float>(m);
    inverse[c] = static_cast<float>(1.0 / sqrt(variance + epsilon));
    running_mean[c] = static_cast<float>((1 - momentum) * running_mean[c] + momentum * m);
    running_variance[c] =
        static_cast<float>((1 - momentum) * running_variance[c] + momentum * variance * count / (count - 1));
}

/// y = (x - mean) inverse gamma + beta; lanes: channels of a thread, 1 or 4.
QUERN_KERNEL(256, batch_norm_f32, const float* x, const float* gamma, const float* beta, const float* mean,
             const float* inverse, float* y, long long rows, int channels, int lanes) {
    auto own = [=](int c) { return inverse[c]; };
    if (lanes == 4) {
        quern::batch_norm::normalize<4>(x, gamma, beta, mean, own, y, rows, channels);
    } else {
        quern::batch_norm::normalize<1>(x, gamma, beta, mean, own, y, rows, channels);
    }
}

/// The same with 1 / sqrt(variance + epsilon) for the inverse.
QUERN_KERNEL(256, batch_norm_inference_f32, const float* x, const float* gamma, const float* beta, const float* mean,
             const float* variance, float* y, long long rows, int channels, double epsilon, int lanes) {
    auto own = [=](int c) { return static_cast<float>(1.0 / sqrt(variance[c] + epsilon)); };
    if (lanes == 4) {
        quern::batch_norm::normalize<4>(x, gamma, beta, mean, own, y, rows, channels);
    } else {
        quern::batch_norm::normalize<1>(x, gamma, beta, mean, own, y, rows, channels);
    }
}

/// Sums of dy (x - mean) and dy.
QUERN_KERNEL(256, batch_norm_backward_sums_f32, const float* x, const float* dy, const float* mean, double* partial,
             long long rows, int channels, long long chunk) {
    if (channels % 4 == 0 && quern::aligned16(x) && quern::aligned16(dy) && quern::aligned16(mean)) {
        quern::batch_norm::backward_sums<4>(x, dy, mean, partial, rows, channels, chunk);
    } else {
        quern::batch_norm::backward_sums<1>(x, dy, mean, partial, rows, channels, chunk);
    }
}

/// dgamma and dbeta of each channel; one thread per channel. The deviation is given as its inverse, or as a variance.
QUERN_KERNEL(256, batch_norm_backward_channels_f32, const double* partial, const float* inverse,
             const float* variance, float* dgamma, float* dbeta, int channels, int chunks, double epsilon) {
    const int c = static_cast<int>(quern::global_index());
    if (c >= channels) {
        return;
    }
    const quern::Pair sums = quern::column_total(partial, chunks, channels, c);
    const double deviation = inverse != nullptr ? inverse[c] : 1.0 / sqrt(variance[c] + epsilon);
    dgamma[c] = static_cast<float>(sums.a * deviation);
    dbeta[c] = static_cast<float>(sums.b);
}

/// dx = gamma inverse (dy - dbeta / rows - h dgamma / rows); dx may be dy.
QUERN_KERNEL(256, batch_norm_backward_f32, const float* x, const float* dy, const float* gamma, const float* mean,
             const float* inverse, const float* dgamma, const float* dbeta, float* dx, long long rows, int channels, int lanes) {
    if (lanes == 4) {
        quern::batch_norm::backward<4>(x, dy, gamma, mean, inverse, dgamma, dbeta, dx, rows, channels);
    } else {
        quern::batch_norm::backward<1>(x, dy, gamma, mean, inverse, dgamma, dbeta, dx, rows, channels);
    }
}

/// dx = gamma dy / sqrt(variance + epsilon); dx may be dy.
QUERN_KERNEL(256, batch_norm_inference_backward_f32, const float* dy, const float* gamma, const float* variance,
             float* dx, long long rows, int channels, double epsilon, int lanes) {
    if (lanes == 4) {
        quern::batch_norm::scale<4>(dy, gamma, variance, dx, rows, channels, epsilon);
    } else {
        quern::batch_norm::scale<1>(dy, gamma, variance, dx, rows, channels, epsilon);
    }
}
