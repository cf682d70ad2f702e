package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.LayerNorm;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** Row by row: the sums of x and x^2 in double (see {@link ChannelMoments}), then y; a row stays in the nearest cache. */
final class LayerNormVector implements Kernel<LayerNorm.Args> {
    private final WorkerPool pool;

    LayerNormVector(WorkerPool pool) {
        this.pool = pool;
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
        float[] gamma = args.gamma().toFloats();
        float[] beta = args.beta().toFloats();
        double epsilon = args.epsilon();
        Rows.run(pool, args.rows(), n, (from, count) -> {
            for (long r = from; r < from + count; r++) {
                long at = 4 * r * n;
                statistics(x + at, n, epsilon, means + 4 * r, inverses + 4 * r);
                normalize(x + at, y + at, gamma, beta, Rows.get(means + 4 * r), Rows.get(inverses + 4 * r), n);
            }
        });
    }

    /** Writes a row's mean and inverse deviation. */
    private static void statistics(long x, int n, double epsilon, long mean, long inverse) {
        int d = DoubleLanes.DOUBLES;
        DoubleVector s0 = DoubleVector.zero(DoubleLanes.D);
        DoubleVector s1 = s0;
        DoubleVector s2 = s0;
        DoubleVector s3 = s0;
        DoubleVector q0 = s0;
        DoubleVector q1 = s0;
        DoubleVector q2 = s0;
        DoubleVector q3 = s0;
        int i = 0;
        for (; i <= n - 4 * d; i += 4 * d) {
            long at = x + 4L * i;
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
        for (; i <= n - d; i += d) {
            DoubleVector v = DoubleLanes.load(x + 4L * i);
            s0 = s0.add(v);
            q0 = v.fma(v, q0);
        }
        double sum = DoubleLanes.sum(s0.add(s1).add(s2.add(s3)));
        double squares = DoubleLanes.sum(q0.add(q1).add(q2.add(q3)));
        for (; i < n; i++) {
            double value = Rows.get(x + 4L * i);
            sum += value;
            squares += value * value;
        }
        double m = sum / n;
        double variance = Math.max(0, squares / n - m * m);
        Rows.set(mean, (float) m);
        Rows.set(inverse, (float) (1 / Math.sqrt(variance + epsilon)));
    }

    private static void normalize(long x, long y, float[] gamma, float[] beta, float mean, float inverse, int n) {
        FloatVector m = FloatVector.broadcast(Lanes.F, mean);
        FloatVector scale = FloatVector.broadcast(Lanes.F, inverse);
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            FloatVector.fromMemorySegment(Lanes.F, ALL, x + 4L * i, Lanes.ORDER)
                    .sub(m)
                    .mul(scale)
                    .fma(FloatVector.fromArray(Lanes.F, gamma, i), FloatVector.fromArray(Lanes.F, beta, i))
                    .intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER);
        }
        if (Rows.MASKS && i < n) {
            VectorMask<Float> tail = Rows.tail(n);
            FloatVector.fromMemorySegment(Lanes.F, ALL, x + 4L * i, Lanes.ORDER, tail)
                    .sub(m)
                    .mul(scale)
                    .fma(FloatVector.fromArray(Lanes.F, gamma, i, tail), FloatVector.fromArray(Lanes.F, beta, i, tail))
                    .intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER, tail);
        }
        for (; !Rows.MASKS && i < n; i++) {
            Rows.set(y + 4L * i, Math.fma((Rows.get(x + 4L * i) - mean) * inverse, gamma[i], beta[i]));
        }
    }
}
