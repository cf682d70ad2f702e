package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static jdk.incubator.vector.VectorOperators.F2D;

import io.quern.backend.WorkerPool;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;

/**
 * Sums of x and x^2 per channel.
 *
 * <p>In double, the variance as mean of squares less square of mean loses (mean / deviation)^2 units of 2^-53: less than
 * rounding x to float has already lost.
 */
final class ChannelMoments {
    private static final int TILE = 4 * DoubleLanes.DOUBLES;

    private ChannelMoments() {}

    /** Sums of x at [c], of x^2 at [channels + c]. */
    static double[] of(WorkerPool pool, Scratch scratch, long x, long rows, int channels) {
        return ChannelSums.of(pool, rows, channels, (start, count, stride, from, to, sums, first, second) -> {
            long at = x + 4 * start;
            int width = to - from;
            boolean byRows = ChannelSums.byRows(width);
            ChannelSumsCode code = byRows ? ChannelSumsCode.ROW_MOMENTS : ChannelSumsCode.MOMENTS;
            int columns = code.columns(count, width);
            if (columns > 0) {
                long target = scratch.address(16L * columns);
                ChannelSums.load(sums, first + from, second + from, columns, target);
                code.add(at + 4L * from, 0, stride, count, columns, target);
                ChannelSums.store(target, sums, first + from, second + from, columns);
                if (columns < width) {
                    add(at, count, stride, from + columns, to, sums, first, second);
                }
                return;
            }
            int done = byRows ? count : 0;
            if (done > 0) {
                long target = scratch.address(16L * width);
                ChannelSums.load(sums, first + from, second + from, width, target);
                for (int r = 0; r < done; r++) {
                    row(at + 4L * ((long) r * stride + from), target, width);
                }
                ChannelSums.store(target, sums, first + from, second + from, width);
            }
            add(at + 4L * done * stride, count - done, stride, from, to, sums, first, second);
        });
    }

    /** A row to the sums at {@code sums}, behind which those of squares follow. */
    private static void row(long x, long sums, int columns) {
        long squares = sums + 8L * columns;
        for (int c = 0; c < columns; c += DoubleLanes.DOUBLES) {
            long at = 8L * c;
            DoubleVector v =
                    (DoubleVector) FloatVector.fromMemorySegment(DoubleLanes.HALF, ALL, x + 4L * c, Lanes.ORDER)
                            .convertShape(F2D, DoubleLanes.D, 0);
            DoubleVector.fromMemorySegment(DoubleLanes.D, ALL, sums + at, Lanes.ORDER)
                    .add(v)
                    .intoMemorySegment(ALL, sums + at, Lanes.ORDER);
            v.fma(v, DoubleVector.fromMemorySegment(DoubleLanes.D, ALL, squares + at, Lanes.ORDER))
                    .intoMemorySegment(ALL, squares + at, Lanes.ORDER);
        }
    }

    private static void add(long x, int rows, int stride, int from, int to, double[] sums, int first, int second) {
        int c = from;
        for (; c <= to - TILE; c += TILE) {
            tile(x + 4L * c, rows, stride, sums, first + c, second + c);
        }
        for (; c < to; c++) {
            column(x + 4L * c, rows, stride, sums, first + c, second + c);
        }
    }

    private static void tile(long x, int rows, int stride, double[] sums, int first, int second) {
        int d = DoubleLanes.DOUBLES;
        DoubleVector s0 = DoubleVector.fromArray(DoubleLanes.D, sums, first);
        DoubleVector s1 = DoubleVector.fromArray(DoubleLanes.D, sums, first + d);
        DoubleVector s2 = DoubleVector.fromArray(DoubleLanes.D, sums, first + 2 * d);
        DoubleVector s3 = DoubleVector.fromArray(DoubleLanes.D, sums, first + 3 * d);
        DoubleVector q0 = DoubleVector.fromArray(DoubleLanes.D, sums, second);
        DoubleVector q1 = DoubleVector.fromArray(DoubleLanes.D, sums, second + d);
        DoubleVector q2 = DoubleVector.fromArray(DoubleLanes.D, sums, second + 2 * d);
        DoubleVector q3 = DoubleVector.fromArray(DoubleLanes.D, sums, second + 3 * d);
        for (int r = 0; r < rows; r++) {
            long at = x + 4L * r * stride;
            DoubleVector v0 = DoubleLanes.load(at);
            DoubleVector v1 = DoubleLanes.load(at + 4L * d);
            DoubleVector v2 = DoubleLanes.load(at + 8L * d);
            DoubleVector v3 = DoubleLanes.load(at + 12L * d);
            s0 = s0.add(v0);
            s1 = s1.add(v1);
            s2 = s2.add(v2);
            s3 = s3.add(v3);
            q0 = v0.fma(v0, q0);
            q1 = v1.fma(v1, q1);
            q2 = v2.fma(v2, q2);
            q3 = v3.fma(v3, q3);
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

    private static void column(long x, int rows, int stride, double[] sums, int first, int second) {
        double sum = sums[first];
        double squares = sums[second];
        for (int r = 0; r < rows; r++) {
            double value = Rows.get(x + 4L * r * stride);
            sum += value;
            squares += value * value;
        }
        sums[first] = sum;
        sums[second] = squares;
    }
}
