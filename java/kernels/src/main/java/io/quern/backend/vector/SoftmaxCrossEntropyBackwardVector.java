package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.SoftmaxCrossEntropyBackward;
import jdk.incubator.vector.FloatVector;

/** Row by row: p times the row's factor, less what is spread over all classes, less what belongs to the label. */
final class SoftmaxCrossEntropyBackwardVector implements Kernel<SoftmaxCrossEntropyBackward.Args> {
    private final WorkerPool pool;

    SoftmaxCrossEntropyBackwardVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(SoftmaxCrossEntropyBackward.Args args) {
        return Ranges.flat(args.probabilities(), args.dloss(), args.dlogits(), args.weights())
                && args.labels().isContiguous();
    }

    @Override
    public void run(SoftmaxCrossEntropyBackward.Args args) {
        int[] labels = args.checkedLabels();
        int n = args.classes();
        double scale = args.scale(labels);
        double own = (1 - args.labelSmoothing()) * scale;
        boolean smooth = args.labelSmoothing() > 0;
        double[] spread = smooth ? spread(args, scale) : null;
        double spreadMass = smooth ? sum(spread) : 0;
        float[] subtracted = smooth ? floats(spread) : null;
        float[] weights = args.weights() == null ? null : args.weights().toFloats();
        long p = args.probabilities().address();
        long dlogits = args.dlogits().address();
        Rows.run(pool, args.rows(), n, (from, count) -> {
            for (int r = (int) from; r < from + count; r++) {
                long at = 4L * r * n;
                int label = labels[r];
                if (label == args.ignoreIndex()) {
                    ALL.asSlice(dlogits + at, 4L * n).fill((byte) 0);
                    continue;
                }
                double target = weights == null ? own : own * weights[label];
                double mass = spreadMass + target;
                long labelAt = 4L * label;
                double atLabel = Rows.get(p + at + labelAt) * mass - (smooth ? spread[label] : 0) - target;
                if (smooth) {
                    scaleAndSubtract(p + at, dlogits + at, (float) mass, subtracted, n);
                } else {
                    scale(p + at, dlogits + at, (float) mass, n);
                }
                // in double, because p is near 1 there and the difference small
                Rows.set(dlogits + at + labelAt, (float) atLabel);
            }
        });
    }

    /** What every row subtracts from class c: scale x smoothing / n x weight. */
    private static double[] spread(SoftmaxCrossEntropyBackward.Args args, double scale) {
        double[] spread = new double[args.classes()];
        for (int c = 0; c < spread.length; c++) {
            double weight = args.weights() == null ? 1 : args.weights().get(c);
            spread[c] = scale * (args.labelSmoothing() / spread.length * weight);
        }
        return spread;
    }

    private static double sum(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum;
    }

    private static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    private static void scale(long p, long y, float factor, int n) {
        int c = 0;
        for (; c <= n - Lanes.FLOATS; c += Lanes.FLOATS) {
            FloatVector.fromMemorySegment(Lanes.F, ALL, p + 4L * c, Lanes.ORDER)
                    .mul(factor)
                    .intoMemorySegment(ALL, y + 4L * c, Lanes.ORDER);
        }
        for (; c < n; c++) {
            Rows.set(y + 4L * c, Rows.get(p + 4L * c) * factor);
        }
    }

    private static void scaleAndSubtract(long p, long y, float factor, float[] subtracted, int n) {
        FloatVector f = FloatVector.broadcast(Lanes.F, factor);
        int c = 0;
        for (; c <= n - Lanes.FLOATS; c += Lanes.FLOATS) {
            FloatVector.fromMemorySegment(Lanes.F, ALL, p + 4L * c, Lanes.ORDER)
                    .mul(f)
                    .sub(FloatVector.fromArray(Lanes.F, subtracted, c))
                    .intoMemorySegment(ALL, y + 4L * c, Lanes.ORDER);
        }
        for (; c < n; c++) {
            Rows.set(y + 4L * c, Rows.get(p + 4L * c) * factor - subtracted[c]);
        }
    }
}
