package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.SoftmaxCrossEntropy;
import jdk.incubator.vector.FloatVector;

/**
 * The probabilities of a block of rows as {@link SoftmaxVector} has them, then the losses of these rows, which need only a row's maximum
 * and sum beside the label's logit. Losses are added in double, first within blocks of rows, then over the blocks in order.
 */
final class SoftmaxCrossEntropyVector implements Kernel<SoftmaxCrossEntropy.Args> {
    private final WorkerPool pool;
    private final Scratch scratch;

    SoftmaxCrossEntropyVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    @Override
    public boolean supports(SoftmaxCrossEntropy.Args args) {
        return Ranges.flat(args.logits(), args.loss(), args.probabilities(), args.weights())
                && args.labels().isContiguous();
    }

    @Override
    public void run(SoftmaxCrossEntropy.Args args) {
        int[] labels = args.checkedLabels();
        float[] weights = args.weights() == null ? null : args.weights().toFloats();
        int n = args.classes();
        long x = args.logits().address();
        long p = args.probabilities().address();
        int perBlock = Math.max(1, Ranges.BLOCK / Math.max(1, n));
        double[] losses = new double[labels.length / perBlock + 1];
        double spread = args.labelSmoothing() / Math.max(1, n);
        double ofClasses = weights == null ? n : sum(weights);
        boolean past = x != p && StreamCode.passesBy(args.probabilities().elements() * Float.BYTES, p);
        Rows.run(pool, args.rows(), n, (from, count) -> {
            double loss = 0;
            long lanes = SoftmaxRow.scratchBytes(n) + Lanes.LINE & -Lanes.LINE;
            long memory = scratch.address(lanes + 8L * count), sums = memory + lanes;
            SoftmaxRow.rows(x + 4 * from * n, p + 4 * from * n, count, n, past, sums, memory);
            for (int r = (int) from; r < from + count; r++) {
                long at = 4L * r * n, sum = sums + 8 * (r - from);
                double logSum = Math.log(Rows.get(sum));
                float max = Rows.get(sum + Float.BYTES);
                if (labels[r] == args.ignoreIndex()) {
                    continue;
                }
                double own = logSum + ((double) max - Rows.get(x + at + 4L * labels[r]));
                loss += (1 - args.labelSmoothing()) * weight(weights, labels[r]) * own;
                if (spread > 0) {
                    double distances =
                            weights == null ? distance(x + at, n, max) : weightedDistance(x + at, weights, n, max);
                    loss += spread * (ofClasses * logSum + distances);
                }
            }
            losses[(int) (from / perBlock)] = loss;
        });
        double total = 0;
        for (int label : labels) {
            total += label == args.ignoreIndex() ? 0 : weight(weights, label);
        }
        Rows.set(args.loss().address(), total == 0 ? 0 : (float) (sum(losses) / total));
    }

    /** All classes weigh 1 if there are no weights. */
    private static float weight(float[] weights, int label) {
        return weights == null ? 1 : weights[label];
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

    /** sum_c (max - x_c). */
    private static double distance(long x, int n, float max) {
        FloatVector s = FloatVector.zero(Lanes.F);
        FloatVector m = FloatVector.broadcast(Lanes.F, max);
        int c = 0;
        for (; c <= n - Lanes.FLOATS; c += Lanes.FLOATS) {
            s = s.add(m.sub(FloatVector.fromMemorySegment(Lanes.F, ALL, x + 4L * c, Lanes.ORDER)));
        }
        double sum = Rows.sum(s);
        for (; c < n; c++) {
            sum += (double) max - Rows.get(x + 4L * c);
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
