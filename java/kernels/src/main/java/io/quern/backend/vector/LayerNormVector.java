package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static jdk.incubator.vector.VectorOperators.F2D;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.LayerNorm;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** Row by row: y, beside the sums of x and x^2 of the next row, in double (see {@link ChannelMoments}). */
final class LayerNormVector implements Kernel<LayerNorm.Args> {
    private final WorkerPool pool;
    private final Scratch scratch;

    LayerNormVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    @Override
    public boolean supports(LayerNorm.Args args) {
        return Ranges.flat(args.x(), args.y(), args.mean(), args.inverseDeviation());
    }

    @Override
    public void run(LayerNorm.Args args) {
        int n = args.columns();
        long x = args.x().address();
        long y = args.y().address();
        long means = args.mean().address();
        long inverses = args.inverseDeviation().address();
        double epsilon = args.epsilon();
        long line = 4L * n + Lanes.BYTES - 1 & -Lanes.BYTES;
        long gamma = scratch.address(2 * line);
        long beta = gamma + line;
        MemorySegment.copy(args.gamma().toFloats(), 0, ALL, ValueLayout.JAVA_FLOAT_UNALIGNED, gamma, n);
        MemorySegment.copy(args.beta().toFloats(), 0, ALL, ValueLayout.JAVA_FLOAT_UNALIGNED, beta, n);
        Rows.run(pool, args.rows(), n, (from, count) -> {
            statistics(x + 4 * from * n, n, epsilon, means + 4 * from, inverses + 4 * from);
            for (long r = from; r < from + count; r++) {
                long at = 4 * r * n;
                float mean = Rows.get(means + 4 * r);
                float inverse = Rows.get(inverses + 4 * r);
                if (r + 1 < from + count) {
                    long next = x + at + 4L * n;
                    normalize(
                            x + at,
                            y + at,
                            gamma,
                            beta,
                            mean,
                            inverse,
                            n,
                            next,
                            epsilon,
                            means + 4 * r + 4,
                            inverses + 4 * r + 4);
                } else {
                    normalize(x + at, y + at, gamma, beta, mean, inverse, n);
                }
            }
        });
    }

    /** Writes a row's mean and inverse deviation. */
    private static void statistics(long x, int n, double epsilon, long mean, long inverse) {
        int d = DoubleLanes.DOUBLES;
        DoubleVector s0 = DoubleVector.zero(DoubleLanes.D);
        DoubleVector s1 = s0;
        DoubleVector q0 = s0;
        DoubleVector q1 = s0;
        int i = 0;
        for (; i <= n - 2 * d; i += 2 * d) {
            DoubleVector v0 = DoubleLanes.load(x + 4L * i);
            DoubleVector v1 = DoubleLanes.load(x + 4L * i + 4L * d);
            s0 = s0.add(v0);
            s1 = s1.add(v1);
            q0 = v0.fma(v0, q0);
            q1 = v1.fma(v1, q1);
        }
        finish(x, i, n, DoubleLanes.sum(s0.add(s1)), DoubleLanes.sum(q0.add(q1)), epsilon, mean, inverse);
    }

    /** From the sums of the first {@code from} elements and of their squares. */
    private static void finish(
            long x, int from, int n, double sum, double squares, double epsilon, long mean, long inverse) {
        double s = sum;
        double q = squares;
        for (int i = from; i < n; i++) {
            double value = Rows.get(x + 4L * i);
            s += value;
            q += value * value;
        }
        double m = s / n;
        double variance = Math.max(0, q / n - m * m);
        Rows.set(mean, (float) m);
        Rows.set(inverse, (float) (1 / Math.sqrt(variance + epsilon)));
    }

    /** A row, and on the way the statistics of the next one: its memory is read while this row's is written. */
    private static void normalize(
            long x,
            long y,
            long gamma,
            long beta,
            float mean,
            float inverse,
            int n,
            long next,
            double epsilon,
            long nextMean,
            long nextInverse) {
        FloatVector m = FloatVector.broadcast(Lanes.F, mean);
        FloatVector scale = FloatVector.broadcast(Lanes.F, inverse);
        DoubleVector s0 = DoubleVector.zero(DoubleLanes.D);
        DoubleVector s1 = s0;
        DoubleVector q0 = s0;
        DoubleVector q1 = s0;
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            long at = 4L * i;
            DoubleVector v0 =
                    (DoubleVector) FloatVector.fromMemorySegment(DoubleLanes.HALF, ALL, next + at, Lanes.ORDER)
                            .convertShape(F2D, DoubleLanes.D, 0);
            DoubleVector v1 = (DoubleVector)
                    FloatVector.fromMemorySegment(DoubleLanes.HALF, ALL, next + at + Lanes.BYTES / 2, Lanes.ORDER)
                            .convertShape(F2D, DoubleLanes.D, 0);
            s0 = s0.add(v0);
            s1 = s1.add(v1);
            q0 = v0.fma(v0, q0);
            q1 = v1.fma(v1, q1);
            FloatVector.fromMemorySegment(Lanes.F, ALL, x + at, Lanes.ORDER)
                    .sub(m)
                    .mul(scale)
                    .fma(
                            FloatVector.fromMemorySegment(Lanes.F, ALL, gamma + at, Lanes.ORDER),
                            FloatVector.fromMemorySegment(Lanes.F, ALL, beta + at, Lanes.ORDER))
                    .intoMemorySegment(ALL, y + at, Lanes.ORDER);
        }
        long at = 4L * i;
        normalize(x + at, y + at, gamma + at, beta + at, mean, inverse, n - i);
        finish(next, i, n, DoubleLanes.sum(s0.add(s1)), DoubleLanes.sum(q0.add(q1)), epsilon, nextMean, nextInverse);
    }

    private static void normalize(long x, long y, long gamma, long beta, float mean, float inverse, int n) {
        FloatVector m = FloatVector.broadcast(Lanes.F, mean);
        FloatVector scale = FloatVector.broadcast(Lanes.F, inverse);
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            long at = 4L * i;
            FloatVector.fromMemorySegment(Lanes.F, ALL, x + at, Lanes.ORDER)
                    .sub(m)
                    .mul(scale)
                    .fma(
                            FloatVector.fromMemorySegment(Lanes.F, ALL, gamma + at, Lanes.ORDER),
                            FloatVector.fromMemorySegment(Lanes.F, ALL, beta + at, Lanes.ORDER))
                    .intoMemorySegment(ALL, y + at, Lanes.ORDER);
        }
        if (Rows.MASKS && i < n) {
            VectorMask<Float> tail = Rows.tail(n);
            long at = 4L * i;
            FloatVector.fromMemorySegment(Lanes.F, ALL, x + at, Lanes.ORDER, tail)
                    .sub(m)
                    .mul(scale)
                    .fma(
                            FloatVector.fromMemorySegment(Lanes.F, ALL, gamma + at, Lanes.ORDER, tail),
                            FloatVector.fromMemorySegment(Lanes.F, ALL, beta + at, Lanes.ORDER, tail))
                    .intoMemorySegment(ALL, y + at, Lanes.ORDER, tail);
        }
        for (; !Rows.MASKS && i < n; i++) {
            long at = 4L * i;
            Rows.set(y + at, Math.fma((Rows.get(x + at) - mean) * inverse, Rows.get(gamma + at), Rows.get(beta + at)));
        }
    }
}
