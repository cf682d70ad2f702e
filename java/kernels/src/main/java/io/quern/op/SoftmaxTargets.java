package io.quern.op;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;

/** What {@link SoftmaxCrossEntropy} and its gradient share: checks, labels, and the target distribution. */
final class SoftmaxTargets {
    private SoftmaxTargets() {}

    /** What the loss and its gradient both ask of their arguments. */
    static void check(String op, String name, Tensor logits, Tensor labels, Tensor weights, double labelSmoothing) {
        Check.rank(logits, 2, op, name);
        if (!(logits.size(0) == 0 || logits.size(1) > 0)) {
            throw Check.failed(op, name + " is " + logits + ", expected at least one class");
        }
        Check.shape(labels, Shape.of(logits.size(0)), op, "labels");
        Check.dtype(labels, DType.I32, op, "labels");
        if (weights != null) {
            Check.shape(weights, Shape.of(logits.size(1)), op, "weights");
            Check.dtype(weights, logits.dtype().accumulator(), op, "weights");
        }
        if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
            throw Check.failed(op, "labelSmoothing is " + labelSmoothing + ", expected 0..1");
        }
    }

    static int[] checkedLabels(String op, Tensor labels, int classes, int ignoreIndex) {
        int[] values = labels.toInts();
        for (int row = 0; row < values.length; row++) {
            int label = values[row];
            if ((label < 0 || label >= classes) && label != ignoreIndex) {
                throw new ArgumentException(op + ": label " + label + " of row " + row + " is outside 0.."
                        + (classes - 1) + "; correct it or give it the ignore index " + ignoreIndex);
            }
        }
        return values;
    }

    /** sum_r w[t(r)] over the rows that count. */
    static double totalWeight(int[] labels, Tensor weights, int ignoreIndex) {
        double total = 0;
        for (int label : labels) {
            total += label == ignoreIndex ? 0 : weight(weights, label);
        }
        return total;
    }

    static double weight(Tensor weights, int label) {
        return weights == null ? 1 : weights.get(label);
    }

    /** q[r, c] of a row with this label. */
    static double target(Tensor weights, double smoothing, int classes, int label, int c) {
        double own = c == label ? (1 - smoothing) * weight(weights, label) : 0;
        return own + (smoothing == 0 ? 0 : smoothing / classes * weight(weights, c));
    }
}
