// Batch normalisation over all axes but the last, with the batch's statistics or the running ones, and the gradients.
// Channel sums are taken in chunks of rows; x: (rows, channels).
#include "sums.cuh"

/// Sums of x and x^2.
QUERN_KERNEL(256, batch_norm_sums_f32, const float* x, double* partial, long long rows, int channels,
             long long chunk) {
    QUERN_SHARED(quern::Pair, shared, [8][32]);
    quern::column_sums(rows, channels, chunk, partial, shared, [=](long long row, int c) {
        const double value = x[row * channels + c];
        return quern::Pair{value, value * value};
    });
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

/// y = (x - mean) inverse gamma + beta; one thread per element.
QUERN_KERNEL(256, batch_norm_f32, const float* x, const float* gamma, const float* beta, const float* mean,
             const float* inverse, float* y, long long elements, int channels) {
    const long long i = quern::global_index();
    if (i < elements) {
        const int c = static_cast<int>(i % channels);
        y[i] = (x[i] - mean[c]) * inverse[c] * gamma[c] + beta[c];
    }
}

/// The same with 1 / sqrt(variance + epsilon) for the inverse.
QUERN_KERNEL(256, batch_norm_inference_f32, const float* x, const float* gamma, const float* beta, const float* mean,
             const float* variance, float* y, long long elements, int channels, double epsilon) {
    const long long i = quern::global_index();
    if (i < elements) {
        const int c = static_cast<int>(i % channels);
        const float inverse = static_cast<float>(1.0 / sqrt(variance[c] + epsilon));
        y[i] = (x[i] - mean[c]) * inverse * gamma[c] + beta[c];
    }
}

/// Sums of dy (x - mean) and dy.
QUERN_KERNEL(256, batch_norm_backward_sums_f32, const float* x, const float* dy, const float* mean, double* partial,
             long long rows, int channels, long long chunk) {
    QUERN_SHARED(quern::Pair, shared, [8][32]);
    quern::column_sums(rows, channels, chunk, partial, shared, [=](long long row, int c) {
        const double gradient = dy[row * channels + c];
        return quern::Pair{gradient * (static_cast<double>(x[row * channels + c]) - mean[c]), gradient};
    });
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

/// dx = gamma inverse (dy - dbeta / rows - h dgamma / rows); dx may be dy; one thread per element.
QUERN_KERNEL(256, batch_norm_backward_f32, const float* x, const float* dy, const float* gamma, const float* mean,
             const float* inverse, const float* dgamma, const float* dbeta, float* dx, long long elements,
             long long rows, int channels) {
    const long long i = quern::global_index();
    if (i < elements) {
        const int c = static_cast<int>(i % channels);
        // in double, where a large intermediate value is no infinity yet
        const double count = static_cast<double>(rows);
        const double deviation = inverse[c];
        const double h = (static_cast<double>(x[i]) - mean[c]) * deviation;
        dx[i] = static_cast<float>(gamma[c] * deviation * (dy[i] - dbeta[c] / count - h * dgamma[c] / count));
    }
}

/// dx = gamma dy / sqrt(variance + epsilon); dx may be dy; one thread per element.
QUERN_KERNEL(256, batch_norm_inference_backward_f32, const float* dy, const float* gamma, const float* variance,
             float* dx, long long elements, int channels, double epsilon) {
    const long long i = quern::global_index();
    if (i < elements) {
        const int c = static_cast<int>(i % channels);
        const float inverse = static_cast<float>(1.0 / sqrt(variance[c] + epsilon));
        dx[i] = gamma[c] * inverse * dy[i];
    }
}
