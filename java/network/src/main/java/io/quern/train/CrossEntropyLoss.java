package io.quern.train;

import io.quern.op.SoftmaxCrossEntropy;
import io.quern.op.Tape;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * The mean of -log softmax(output)[class], for outputs that are one logit per class; see {@link SoftmaxCrossEntropy}.
 *
 * @param classWeights one per class, or empty for all alike
 * @param labelSmoothing part of each target that is spread over all classes, 0..1
 * @param ignoreIndex samples with this label count for nothing
 */
public record CrossEntropyLoss(List<Double> classWeights, double labelSmoothing, int ignoreIndex) implements Loss {
    public CrossEntropyLoss {
        classWeights = List.copyOf(classWeights);
        if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
            throw new ArgumentException("label smoothing is " + labelSmoothing + ", expected 0..1");
        }
        for (double weight : classWeights) {
            if (!(weight >= 0 && weight < Double.POSITIVE_INFINITY)) {
                throw new ArgumentException("a class weight is " + weight + ", expected a number of at least 0");
            }
        }
    }

    /** All classes alike, no smoothing. */
    public CrossEntropyLoss() {
        this(List.of(), 0, SoftmaxCrossEntropy.IGNORE);
    }

    public CrossEntropyLoss withLabelSmoothing(double smoothing) {
        return new CrossEntropyLoss(classWeights, smoothing, ignoreIndex);
    }

    public CrossEntropyLoss withClassWeights(List<Double> weights) {
        return new CrossEntropyLoss(weights, labelSmoothing, ignoreIndex);
    }

    @Override
    public Tensor apply(Tape tape, Tensor output, Tensor labels) {
        return prepare(tape, output.dtype(), output.shape(), labels).apply(output);
    }

    @Override
    public UnaryOperator<Tensor> prepare(Tape tape, DType dtype, Shape output, Tensor labels) {
        if (output.rank() != 2) {
            throw new ArgumentException("cross-entropy takes one logit per class, (n, classes); the output is " + dtype
                    + "[" + output + "]; end the model with flatten or dense(classes)");
        }
        Tensor weights = classWeights.isEmpty() ? null : weights(tape, dtype.accumulator());
        Tensor placed = tape.place(labels, DType.I32);
        if (placed != labels) {
            check(labels.toInts(), output.size(1));
        }
        return y -> SoftmaxCrossEntropy.apply(tape, y, placed, weights, labelSmoothing, ignoreIndex)
                .loss();
    }

    /** A device cannot refuse a label. */
    private void check(int[] labels, long classes) {
        for (int i = 0; i < labels.length; i++) {
            if ((labels[i] < 0 || labels[i] >= classes) && counts(labels[i])) {
                throw new ArgumentException("label " + labels[i] + " of sample " + i + " is outside the " + classes
                        + " outputs; correct it or give it the ignore index " + ignoreIndex);
            }
        }
    }

    private Tensor weights(Tape tape, DType dtype) {
        try (Tensor host = Tensor.allocate(dtype, Shape.of(classWeights.size()))) {
            for (int c = 0; c < classWeights.size(); c++) {
                host.set(c, classWeights.get(c));
            }
            return tape.allocate(dtype, host.shape()).copyFrom(host);
        }
    }

    @Override
    public boolean counts(int label) {
        return label != ignoreIndex;
    }
}
