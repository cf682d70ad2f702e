package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.SoftmaxCrossEntropy;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * Row by row like {@link SoftmaxVector}; the loss needs only the row's maximum and sum beside the label's logit. Losses
 * are added in double, first within blocks of rows, then over the blocks in order.
 */
final class SoftmaxCrossEntropyVector implements Kernel<SoftmaxCrossEntropy.Args> {
    private final WorkerPool pool;

    SoftmaxCrossEntropyVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(SoftmaxCrossEntropy.Args args) {
        return Ranges.flat(args.logits(), args.loss(), args.probabilities(), args.weights())
                && args.labels().isContiguous();
    }

    @Override
    public void run(SoftmaxCrossEntropy.Args args) {
        int[] labels = args.checkedLabels();
        float[] weights = weights(args);
        int n = args.classes();
        long x = args.logits().address();
        long p = args.probabilities().address();
        int perBlock = Math.max(1, Ranges.BLOCK / Math.max(1, n));
        double[] losses = new double[labels.length / perBlock + 1];
        double spread = args.labelSmoothing() / Math.max(1, n);
        double ofClasses = sum(weights);
        Rows.run(pool, args.rows(), n, (from, count) -> {
            double loss = 0;
            for (int r = (int) from; r < from + count; r++) {
                long at = 4L * r * n;
                float max = SoftmaxRow.max(x + at, n);
                double logSum = Math.log(SoftmaxRow.probabilities(x + at, p + at, n, max));
                if (labels[r] == args.ignoreIndex()) {
                    continue;
                }
                double own = logSum + ((double) max - Rows.get(x + at + 4L * labels[r]));
                loss += (1 - args.labelSmoothing()) * weights[labels[r]] * own;
                if (spread > 0) {
                    loss += spread * (ofClasses * logSum + weightedDistance(x + at, weights, n, max));
                }
            }
            losses[(int) (from / perBlock)] = loss;
        });
        double total = 0;
        for (int label : labels) {
            total += label == args.ignoreIndex() ? 0 : weights[label];
        }
        Rows.set(args.loss().address(), total == 0 ? 0 : (float) (sum(losses) / total));
    }

    private static float[] weights(SoftmaxCrossEntropy.Args args) {
        if (args.weights() != null) {
            return args.weights().toFloats();
        }
        float[] ones = new float[args.classes()];
        Arrays.fill(ones, 1);
        return ones;
    }

    private static double sum(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += value;
        }
        return sum;
    }

    private static double sum(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum;
    }

    /** sum_c w_c (max - x_c). */
    private static double weightedDistance(long x, float[] weights, int n, float max) {
        FloatVector s = FloatVector.zero(Lanes.F);
        FloatVector m = FloatVector.broadcast(Lanes.F, max);
        int c = 0;
        for (; c <= n - Lanes.FLOATS; c += Lanes.FLOATS) {
            FloatVector distance = m.sub(FloatVector.fromMemorySegment(Lanes.F, ALL, x + 4L * c, Lanes.ORDER));
            s = distance.fma(FloatVector.fromArray(Lanes.F, weights, c), s);
        }
        double sum = Rows.sum(s);
        for (; c < n; c++) {
            sum += weights[c] * ((double) max - Rows.get(x + 4L * c));
        }
        return sum;
    }
}
