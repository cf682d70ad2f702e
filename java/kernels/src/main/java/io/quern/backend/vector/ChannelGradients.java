package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.WorkerPool;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;

/**
 * Sums of dy and dy (x - mean) per channel, for the gradients of a normalisation's parameters: where they go by rows, a few
 * hundred rows in float first, unless these overflow; else in double.
 */
final class ChannelGradients {
    private static final int TILE = 4 * DoubleLanes.DOUBLES;

    private ChannelGradients() {}

    /** Sums of dy at [c], of dy (x - mean[c]) at [channels + c]. */
    static double[] of(WorkerPool pool, Scratch scratch, long x, long dy, float[] mean, long rows) {
        int channels = mean.length;
        float[] means = new float[ChannelSums.fold(channels, rows) * channels];
        for (int first = 0; first < means.length; first += channels) {
            System.arraycopy(mean, 0, means, first, channels);
        }
        return ChannelSums.of(pool, rows, channels, (start, count, stride, from, to, sums, first, second) -> {
            long image = x + 4 * start;
            long gradient = dy + 4 * start;
            int width = to - from;
            int done = ChannelSums.byRows(width) ? count : 0;
            if (done > 0) {
                long target = scratch.address(12L * width);
                Copies.zero(target, 8L * width);
                MemorySegment.copy(means, from, ALL, ValueLayout.JAVA_FLOAT, target + 8L * width, width);
                if (ChannelSumsCode.ROW_GRADIENTS.columns(count, width) == width) {
                    ChannelSumsCode.ROW_GRADIENTS.add(
                            image + 4L * from, gradient + 4L * from, stride, count, width, target);
                } else {
                    for (int r = 0; r < done; r++) {
                        long at = 4L * ((long) r * stride + from);
                        row(image + at, gradient + at, target, width);
                    }
                }
                if (isFinite(target, 2 * width)) {
                    for (int c = 0; c < width; c++) {
                        sums[first + from + c] += Rows.get(target + 4L * c);
                        sums[second + from + c] += Rows.get(target + 4L * (width + c));
                    }
                } else {
                    done = 0;
                }
            }
            if (done < count) {
                int columns = ChannelSumsCode.GRADIENTS.columns(count, width);
                if (columns > 0) {
                    long target = scratch.address(20L * columns);
                    ChannelSums.load(sums, first + from, second + from, columns, target);
                    MemorySegment.copy(means, from, ALL, ValueLayout.JAVA_FLOAT, target + 16L * columns, columns);
                    ChannelSumsCode.GRADIENTS.add(
                            image + 4L * from, gradient + 4L * from, stride, count, columns, target);
                    ChannelSums.store(target, sums, first + from, second + from, columns);
                }
                if (columns < width) {
                    add(image, gradient, means, count, stride, from + columns, to, sums, first, second);
                }
            }
        });
    }

    private static boolean isFinite(long at, int count) {
        float sum = 0;
        for (int i = 0; i < count; i++) {
            sum += 0 * Rows.get(at + 4L * i);
        }
        return sum == 0;
    }

    /** A row to the sums at {@code sums}, in float; behind them those of products and then the means follow. */
    private static void row(long x, long dy, long sums, int columns) {
        long products = sums + 4L * columns;
        long means = products + 4L * columns;
        for (int c = 0; c < columns; c += Lanes.FLOATS) {
            long at = 4L * c;
            FloatVector g = FloatVector.fromMemorySegment(Lanes.F, ALL, dy + at, Lanes.ORDER);
            FloatVector.fromMemorySegment(Lanes.F, ALL, x + at, Lanes.ORDER)
                    .sub(FloatVector.fromMemorySegment(Lanes.F, ALL, means + at, Lanes.ORDER))
                    .fma(g, FloatVector.fromMemorySegment(Lanes.F, ALL, products + at, Lanes.ORDER))
                    .intoMemorySegment(ALL, products + at, Lanes.ORDER);
            FloatVector.fromMemorySegment(Lanes.F, ALL, sums + at, Lanes.ORDER)
                    .add(g)
                    .intoMemorySegment(ALL, sums + at, Lanes.ORDER);
        }
    }

    private static void add(
            long x,
            long dy,
            float[] means,
            int rows,
            int stride,
            int from,
            int to,
            double[] sums,
            int first,
            int second) {
        int c = from;
        for (; c <= to - TILE; c += TILE) {
            tile(x + 4L * c, dy + 4L * c, means, c, rows, stride, sums, first + c, second + c);
        }
        for (; c < to; c++) {
            column(x + 4L * c, dy + 4L * c, means[c], rows, stride, sums, first + c, second + c);
        }
    }

    private static void tile(
            long x, long dy, float[] means, int c, int rows, int stride, double[] sums, int first, int second) {
        int d = DoubleLanes.DOUBLES;
        DoubleVector m0 = DoubleLanes.load(means, c);
        DoubleVector m1 = DoubleLanes.load(means, c + d);
        DoubleVector m2 = DoubleLanes.load(means, c + 2 * d);
        DoubleVector m3 = DoubleLanes.load(means, c + 3 * d);
        DoubleVector s0 = DoubleVector.fromArray(DoubleLanes.D, sums, first);
        DoubleVector s1 = DoubleVector.fromArray(DoubleLanes.D, sums, first + d);
        DoubleVector s2 = DoubleVector.fromArray(DoubleLanes.D, sums, first + 2 * d);
        DoubleVector s3 = DoubleVector.fromArray(DoubleLanes.D, sums, first + 3 * d);
        DoubleVector q0 = DoubleVector.fromArray(DoubleLanes.D, sums, second);
        DoubleVector q1 = DoubleVector.fromArray(DoubleLanes.D, sums, second + d);
        DoubleVector q2 = DoubleVector.fromArray(DoubleLanes.D, sums, second + 2 * d);
        DoubleVector q3 = DoubleVector.fromArray(DoubleLanes.D, sums, second + 3 * d);
        for (int r = 0; r < rows; r++) {
            long at = 4L * r * stride;
            DoubleVector g0 = DoubleLanes.load(dy + at);
            DoubleVector g1 = DoubleLanes.load(dy + at + 4L * d);
            DoubleVector g2 = DoubleLanes.load(dy + at + 8L * d);
            DoubleVector g3 = DoubleLanes.load(dy + at + 12L * d);
            q0 = DoubleLanes.load(x + at).sub(m0).fma(g0, q0);
            q1 = DoubleLanes.load(x + at + 4L * d).sub(m1).fma(g1, q1);
            q2 = DoubleLanes.load(x + at + 8L * d).sub(m2).fma(g2, q2);
            q3 = DoubleLanes.load(x + at + 12L * d).sub(m3).fma(g3, q3);
            s0 = s0.add(g0);
            s1 = s1.add(g1);
            s2 = s2.add(g2);
            s3 = s3.add(g3);
        }
        s0.intoArray(sums, first);
        s1.intoArray(sums, first + d);
        s2.intoArray(sums, first + 2 * d);
        s3.intoArray(sums, first + 3 * d);
        q0.intoArray(sums, second);
        q1.intoArray(sums, second + d);
        q2.intoArray(sums, second + 2 * d);
        q3.intoArray(sums, second + 3 * d);
    }

    private static void column(
            long x, long dy, double mean, int rows, int stride, double[] sums, int first, int second) {
        double sum = sums[first];
        double products = sums[second];
        for (int r = 0; r < rows; r++) {
            long at = 4L * r * stride;
            double gradient = Rows.get(dy + at);
            sum += gradient;
            products += gradient * ((double) Rows.get(x + at) - mean);
        }
        sums[first] = sum;
        sums[second] = products;
    }
}
