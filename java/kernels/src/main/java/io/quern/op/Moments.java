package io.quern.op;

import io.quern.tensor.Tensor;

/**
 * Mean, variance and mean absolute deviation of some elements of a tensor, by two passes in double: what the
 * normalisations' references and error bounds start from.
 *
 * @param variance divided by the number of elements
 * @param deviation mean of |x - mean|
 */
record Moments(double mean, double variance, double deviation) {
    /** Sums longer than this are to be cut into blocks whose results are combined in higher precision. */
    private static final double LONGEST_SUM = 1024;

    /** Of {@code count} elements from {@code first} in logical order, {@code step} apart. */
    static Moments of(Tensor x, long first, long count, long step) {
        double sum = 0;
        for (long i = 0; i < count; i++) {
            sum += x.get(first + i * step);
        }
        double mean = sum / count;
        double squares = 0;
        double absolutes = 0;
        for (long i = 0; i < count; i++) {
            double difference = x.get(first + i * step) - mean;
            squares += difference * difference;
            absolutes += Math.abs(difference);
        }
        return new Moments(mean, squares / count, absolutes / count);
    }

    /** Roundings in a sum of this many terms. */
    static double terms(long count) {
        return Math.min(count, LONGEST_SUM);
    }

    /**
     * Error of a computed mean: deviations from a mean known to a few u are summed, which adds a few u of the mean but no
     * u of the mean per term.
     */
    double meanError(long count, double u) {
        return u * ((terms(count) + 4) * deviation + 8 * Math.abs(mean));
    }

    /** Error of a computed variance: gamma_n of a sum of squares, and the square of the mean's error. */
    double varianceError(long count, double u) {
        double mean = meanError(count, u);
        return u * (terms(count) + 8) * variance + mean * mean;
    }

    /** 1 / sqrt(variance + epsilon). */
    double inverse(double epsilon) {
        return 1 / Math.sqrt(variance + epsilon);
    }

    /** Error of a computed {@link #inverse}. */
    double inverseError(long count, double epsilon, double u) {
        double inverse = inverse(epsilon);
        return inverse * (0.5 * varianceError(count, u) * inverse * inverse + 6 * u);
    }

    /** Error of a computed (x - mean) inverse gamma + beta. */
    double normalizedError(double x, double gamma, double beta, long count, double epsilon, double u) {
        double inverse = inverse(epsilon);
        double difference = Math.abs(x - mean);
        double statistics = inverse * meanError(count, u) + difference * inverseError(count, epsilon, u);
        return Math.abs(gamma) * (statistics + 6 * u * difference * inverse) + 2 * u * Math.abs(beta);
    }
}
