// Batch normalisation over all axes but the last, with the batch's statistics or the running ones, and the gradients.
// Channel sums are taken in chunks of rows; x: (rows, channels). x, y, dx and dy are f32 or bf16, all else is f32.
#include "channels.cuh"
#include "ptx/launch.cuh"
#include "sums.cuh"

namespace quern::batch_norm {

/// Rows of a thread that are under way together.
template <class T>
constexpr int kRowsAtOnce = 8 / sizeof(T);

/// Channels of a thread in the sums, in either storage: those of 16 bytes of bf16 would take twice the registers.
constexpr int kSumLanes = 4;

template <int Lanes, class T>
QUERN_DEVICE void sums(const T* x, double* partial, long long rows, int channels) {
    const auto read = [=](long long row, int c, auto whole) {
        Raw<T, Lanes> values;
        values.load(x + row * channels + c, whole.value);
        return values;
    };
    column_sums<Lanes>(rows, channels, partial, aligned16(x), read, [](const auto& values, int i) {
        const double value = values[i];
        return Pair{value, value * value};
    });
}

template <int Lanes, class T>
QUERN_DEVICE void backward_sums(const T* x, const T* dy, const float* mean, double* partial, long long rows, int channels) {
    struct Both {
        Raw<T, Lanes> x, dy;
    };
    const auto read = [=](long long row, int c, auto whole) {
        Both values;
        values.x.load(x + row * channels + c, whole.value);
        values.dy.load(dy + row * channels + c, whole.value);
        return values;
    };
    Vec<float, Lanes> means{};
    if (own_columns<Lanes>() < channels) {
        means = load_floats<Lanes>(mean + own_columns<Lanes>(), aligned16(mean));
    }
    column_sums<Lanes>(rows, channels, partial, aligned16(x) && aligned16(dy), read, [=](const Both& values, int i) {
        const double gradient = values.dy[i];
        return Pair{gradient * (static_cast<double>(values.x[i]) - means[i]), gradient};
    });
}

/// y = (x - mean) inverse gamma + beta.
template <int Lanes, class T, class Inverse>
QUERN_DEVICE void normalize(const T* x, const float* gamma, const float* beta, const float* mean, Inverse inverse_of, T* y,
                            long long rows, int channels) {
    auto setup = [&](int channel) {
        const Vec<float, Lanes> m = load_floats<Lanes>(mean + channel), g = load_floats<Lanes>(gamma + channel),
                                b = load_floats<Lanes>(beta + channel);
        Vec<float, Lanes> inverse;
#pragma unroll
        for (int i = 0; i < Lanes; i++) {
            inverse[i] = inverse_of(channel + i);
        }
        return [=](const auto& in) {
            Vec<float, Lanes> out;
#pragma unroll
            for (int i = 0; i < Lanes; i++) {
                out[i] = (in[0][i] - m[i]) * inverse[i] * g[i] + b[i];
            }
            return out;
        };
    };
    map_channels<Lanes, kRowsAtOnce<T>>(y, rows, channels, setup, x);
}

/// dx = gamma inverse (dy - dbeta / rows - h dgamma / rows).
template <int Lanes, class T>
QUERN_DEVICE void backward(const T* x, const T* dy, const float* gamma, const float* mean, const float* inverse,
                           const float* dgamma, const float* dbeta, T* dx, long long rows, int channels) {
    auto setup = [&](int channel) {
        using Real = typename Wide<T>::Type;
        const double count = static_cast<double>(rows);
        // the order of the products matters in float: those of small numbers may be 0, and that times infinity is NaN
        Vec<Real, Lanes> m, share, deviation, factor, mean_gradient, product;
#pragma unroll
        for (int i = 0; i < Lanes; i++) {
            const int c = channel + i;
            m[i] = mean[c];
            share[i] = static_cast<Real>(inverse[c] / count);
            deviation[i] = inverse[c];
            factor[i] = gamma[c];
            mean_gradient[i] = static_cast<Real>(dbeta[c] / count);
            product[i] = dgamma[c];
        }
        return [=](const auto& in) {
            Vec<float, Lanes> out;
#pragma unroll
            for (int i = 0; i < Lanes; i++) {
                const Real pull = (static_cast<Real>(in[0][i]) - m[i]) * product[i] * share[i];
                out[i] = static_cast<float>(factor[i] * (deviation[i] * (in[1][i] - mean_gradient[i] - pull)));
            }
            return out;
        };
    };
    map_channels<Lanes, kRowsAtOnce<T>>(dx, rows, channels, setup, x, dy);
}

/// dx = gamma inverse dy.
template <int Lanes, class T>
QUERN_DEVICE void scale(const T* dy, const float* gamma, const float* variance, T* dx, long long rows, int channels,
                        double epsilon) {
    auto setup = [&](int channel) {
        Vec<float, Lanes> factor;
#pragma unroll
        for (int i = 0; i < Lanes; i++) {
            factor[i] = gamma[channel + i] * static_cast<float>(1.0 / sqrt(variance[channel + i] + epsilon));
        }
        return [=](const auto& in) {
            Vec<float, Lanes> out;
#pragma unroll
            for (int i = 0; i < Lanes; i++) {
                out[i] = in[0][i] * factor[i];
            }
            return out;
        };
    };
    map_channels<Lanes, kRowsAtOnce<T>>(dx, rows, channels, setup, dy);
}

}  // namespace quern::batch_norm

/// Sums of x and x^2.
QUERN_KERNEL_BY_DTYPE(256, batch_norm_sums, (const T* x, double* partial, long long rows, int channels), {
    overlap_launches();
    if (channels % batch_norm::kSumLanes == 0) {
        batch_norm::sums<batch_norm::kSumLanes>(x, partial, rows, channels);
    } else {
        batch_norm::sums<1>(x, partial, rows, channels);
    }
})

/// The statistics of each channel, and the running ones moved.
QUERN_KERNEL(256, batch_norm_statistics_f32, const double* partial, float* running_mean, float* running_variance,
             float* mean, float* inverse, long long rows, int channels, int chunks, double epsilon, double momentum) {
    quern::overlap_launches();
    // under way with the sums
    const int own = quern::own_total();
    const float mean_before = own < channels ? running_mean[own] : 0, variance_before = own < channels ? running_variance[own] : 0;
    quern::column_totals(partial, chunks, channels, [=](int c, const quern::Pair& sums) {
        const double count = static_cast<double>(rows);
        const double m = sums.a / count;
        double variance = sums.b / count - m * m;
        variance = variance < 0 ? 0 : variance;
        mean[c] = static_cast<float>(m);
        inverse[c] = static_cast<float>(1.0 / sqrt(variance + epsilon));
        running_mean[c] = static_cast<float>((1 - momentum) * mean_before + momentum * m);
        running_variance[c] =
            static_cast<float>((1 - momentum) * variance_before + momentum * variance * count / (count - 1));
    });
}

/// y = (x - mean) inverse gamma + beta; lanes: channels of a thread, 1 or those of 16 bytes of x.
QUERN_KERNEL_BY_DTYPE(256, batch_norm, (const T* x, const float* gamma, const float* beta, const float* mean,
                      const float* inverse, T* y, long long rows, int channels, int lanes), {
    overlap_launches();
    auto own = [=](int c) { return inverse[c]; };
    if (lanes > 1) {
        batch_norm::normalize<kLanes<T>>(x, gamma, beta, mean, own, y, rows, channels);
    } else {
        batch_norm::normalize<1>(x, gamma, beta, mean, own, y, rows, channels);
    }
})

/// The same with 1 / sqrt(variance + epsilon) for the inverse.
QUERN_KERNEL_BY_DTYPE(256, batch_norm_inference, (const T* x, const float* gamma, const float* beta, const float* mean,
                      const float* variance, T* y, long long rows, int channels, double epsilon, int lanes), {
    overlap_launches();
    auto own = [=](int c) { return static_cast<float>(1.0 / sqrt(variance[c] + epsilon)); };
    if (lanes > 1) {
        batch_norm::normalize<kLanes<T>>(x, gamma, beta, mean, own, y, rows, channels);
    } else {
        batch_norm::normalize<1>(x, gamma, beta, mean, own, y, rows, channels);
    }
})

/// Sums of dy (x - mean) and dy.
QUERN_KERNEL_BY_DTYPE(256, batch_norm_backward_sums, (const T* x, const T* dy, const float* mean, double* partial,
                      long long rows, int channels), {
    overlap_launches();
    if (channels % batch_norm::kSumLanes == 0) {
        batch_norm::backward_sums<batch_norm::kSumLanes>(x, dy, mean, partial, rows, channels);
    } else {
        batch_norm::backward_sums<1>(x, dy, mean, partial, rows, channels);
    }
})

/// dgamma and dbeta of each channel. The deviation is given as its inverse, or as a variance.
QUERN_KERNEL(256, batch_norm_backward_channels_f32, const double* partial, const float* inverse,
             const float* variance, float* dgamma, float* dbeta, int channels, int chunks, double epsilon) {
    quern::overlap_launches();
    quern::column_totals(partial, chunks, channels, [=](int c, const quern::Pair& sums) {
        const double deviation = inverse != nullptr ? inverse[c] : 1.0 / sqrt(variance[c] + epsilon);
        dgamma[c] = static_cast<float>(sums.a * deviation);
        dbeta[c] = static_cast<float>(sums.b);
    });
}

/// dx = gamma inverse (dy - dbeta / rows - h dgamma / rows); dx may be dy.
QUERN_KERNEL_BY_DTYPE(256, batch_norm_backward, (const T* x, const T* dy, const float* gamma, const float* mean,
                      const float* inverse, const float* dgamma, const float* dbeta, T* dx, long long rows, int channels,
                      int lanes), {
    overlap_launches();
    if (lanes > 1) {
        batch_norm::backward<kLanes<T>>(x, dy, gamma, mean, inverse, dgamma, dbeta, dx, rows, channels);
    } else {
        batch_norm::backward<1>(x, dy, gamma, mean, inverse, dgamma, dbeta, dx, rows, channels);
    }
})

/// dx = gamma dy / sqrt(variance + epsilon); dx may be dy.
QUERN_KERNEL_BY_DTYPE(256, batch_norm_inference_backward, (const T* dy, const float* gamma, const float* variance, T* dx,
                      long long rows, int channels, double epsilon, int lanes), {
    overlap_launches();
    if (lanes > 1) {
        batch_norm::scale<kLanes<T>>(dy, gamma, variance, dx, rows, channels, epsilon);
    } else {
        batch_norm::scale<1>(dy, gamma, variance, dx, rows, channels, epsilon);
    }
})
