package io.quern.op;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Stream;

/**
 * The loss of a classifier: the weighted mean of -log softmax(logits)[label] over the rows, and the probabilities.
 *
 * <p>With p = softmax(logits), class weights w (1 if absent), label smoothing e and n classes, summing over the rows r
 * whose label t(r) is not {@code ignoreIndex}:
 *
 * <pre>
 * q[r, c] = (1 - e) w[t(r)] [c = t(r)] + e / n w[c]
 * loss    = sum_r sum_c q[r, c] (-log p[r, c]) / sum_r w[t(r)]
 * </pre>
 *
 * as CrossEntropyLoss of PyTorch does it. Unlike there, the loss is 0 and not NaN when the divisor is 0, which is so
 * when every row is ignored. Szegedy et al., "Rethinking the Inception architecture", 2016, for the smoothing.
 *
 * <p>BF16 logits: everything else is F32, the probabilities too. A probability above 0.998 would be 1 in BF16, and the
 * gradient p - 1 of a row that is nearly learned would be nothing; and a loss is summed up and compared.
 */
public final class SoftmaxCrossEntropy implements Op<SoftmaxCrossEntropy.Args> {
    public static final SoftmaxCrossEntropy OP = new SoftmaxCrossEntropy();

    /** The label of rows that do not count, unless another is chosen. */
    public static final int IGNORE = -100;

    private static final String NAME = "SoftmaxCrossEntropy";

    /**
     * @param logits (rows, classes), F32, F64 or BF16
     * @param labels I32 (rows), each 0..classes-1 or ignoreIndex; checked when the op runs
     * @param weights (classes), not negative, or null; F32 for BF16 logits, as are loss and probabilities
     * @param loss scalar
     * @param probabilities logits' shape: softmax of every row, ignored or not; saved for the gradient, no gradient
     *     flows through it
     * @param labelSmoothing 0..1: the part of each target that is spread evenly over all classes
     * @param ignoreIndex rows with this label add nothing to loss and divisor
     */
    public record Args(
            Tensor logits,
            Tensor labels,
            Tensor weights,
            Tensor loss,
            Tensor probabilities,
            double labelSmoothing,
            int ignoreIndex)
            implements OpArgs {
        public Args {
            Check.supported(logits, OP, "logits");
            SoftmaxTargets.check(NAME, "logits", logits, labels, weights, labelSmoothing);
            Check.shape(loss, Shape.of(), NAME, "loss");
            Check.dtype(loss, logits.dtype().accumulator(), NAME, "loss");
            Check.shape(probabilities, logits.shape(), NAME, "probabilities");
            Check.dtype(probabilities, logits.dtype().accumulator(), NAME, "probabilities");
            Check.apart(probabilities, logits, NAME, "probabilities", "logits");
            Check.apart(probabilities, labels, NAME, "probabilities", "labels");
            Check.apart(probabilities, weights, NAME, "probabilities", "weights");
            Check.apart(loss, logits, NAME, "loss", "logits");
            Check.apart(loss, labels, NAME, "loss", "labels");
            Check.apart(loss, weights, NAME, "loss", "weights");
            Check.apart(loss, probabilities, NAME, "loss", "probabilities");
        }

        public int rows() {
            return logits.dim(0);
        }

        public int classes() {
            return logits.dim(1);
        }

        /** The labels, each checked to be a class or {@link #ignoreIndex}. */
        public int[] checkedLabels() {
            return SoftmaxTargets.checkedLabels(NAME, labels, classes(), ignoreIndex);
        }

        @Override
        public List<Tensor> inputs() {
            return Stream.of(logits, labels, weights).filter(Objects::nonNull).toList();
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(loss, probabilities);
        }
    }

    /** What {@link #apply} gives: the scalar loss and, for metrics, the probabilities. */
    public record Result(Tensor loss, Tensor probabilities) {}

    private SoftmaxCrossEntropy() {}

    /** The mean loss of plain labels, recorded on the tape. */
    public static Result apply(Tape tape, Tensor logits, Tensor labels) {
        return apply(tape, logits, labels, null, 0, IGNORE);
    }

    /** The weighted and smoothed loss, recorded on the tape; weights may be null. */
    public static Result apply(
            Tape tape, Tensor logits, Tensor labels, Tensor weights, double labelSmoothing, int ignoreIndex) {
        DType wide = logits.dtype().accumulator();
        Tensor loss = tape.allocate(wide, Shape.of());
        Tensor probabilities = tape.allocate(wide, logits.shape());
        tape.run(OP, new Args(logits, labels, weights, loss, probabilities, labelSmoothing, ignoreIndex));
        return new Result(loss, probabilities);
    }

    @Override
    public void reference(Args args) {
        int[] labels = args.checkedLabels();
        int n = args.classes();
        double sum = 0;
        for (int r = 0; r < args.rows(); r++) {
            double[] row = Softmax.row(args.logits, r, n);
            double max = Softmax.max(row);
            double sumExp = Softmax.sumExp(row, max);
            for (int c = 0; c < n; c++) {
                args.probabilities.set((long) r * n + c, Math.exp(row[c] - max) / sumExp);
            }
            if (labels[r] != args.ignoreIndex) {
                double logSum = Math.log(sumExp);
                sum += overTarget(args, labels[r], c -> logSum + (max - row[c]));
            }
        }
        double total = SoftmaxTargets.totalWeight(labels, args.weights, args.ignoreIndex);
        args.loss.set(0, total == 0 ? 0 : sum / total);
    }

    /** sum_c q[r, c] value(c) of a row with this label; without smoothing, only the label's value is looked at. */
    private static double overTarget(Args args, int label, IntToDoubleFunction value) {
        if (args.labelSmoothing == 0) {
            return SoftmaxTargets.weight(args.weights, label) * value.applyAsDouble(label);
        }
        double sum = 0;
        for (int c = 0; c < args.classes(); c++) {
            sum += SoftmaxTargets.target(args.weights, args.labelSmoothing, args.classes(), label, c)
                    * value.applyAsDouble(c);
        }
        return sum;
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    @Override
    public boolean hasGradient(Args args, Tensor input) {
        return input == args.logits;
    }

    @Override
    public void backward(Args args, Gradients gradients) {
        gradients.add(
                args.logits,
                dlogits -> gradients.run(
                        SoftmaxCrossEntropyBackward.OP,
                        new SoftmaxCrossEntropyBackward.Args(
                                args.probabilities,
                                args.labels,
                                args.weights,
                                gradients.of(args.loss),
                                dlogits,
                                args.labelSmoothing,
                                args.ignoreIndex)));
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll((args.labelSmoothing > 0 ? 17.0 : 14.0) * args.logits.elements(), args);
    }

    /**
     * A row's -log p_c = log S + (max - x_c): the relative error of the sum S, (n + log n + 20) u, is the absolute one of
     * its logarithm; the difference and the sum are rounded. Then gamma_rows of the sum over the rows and the quotient.
     */
    @Override
    public Bound bound(Args args, double u) {
        int[] labels = args.checkedLabels();
        int n = args.classes();
        double error = 0;
        double magnitude = 0;
        for (int r = 0; r < args.rows(); r++) {
            if (labels[r] != args.ignoreIndex) {
                double[] row = Softmax.row(args.logits, r, n);
                double max = Softmax.max(row);
                double logSum = Math.log(Softmax.sumExp(row, max));
                magnitude += overTarget(args, labels[r], c -> logSum + (max - row[c]));
                error += overTarget(args, labels[r], c -> n + Math.log(n) + 20 + 4 * logSum + 4 * (max - row[c]));
            }
        }
        double total = SoftmaxTargets.totalWeight(labels, args.weights, args.ignoreIndex);
        double sumError = total == 0 ? 0 : (u * error + Bounds.gamma(2.0 * args.rows() + n, u) * magnitude) / total;
        return (output, index, reference) ->
                output == 0 ? sumError + Bounds.UNDERFLOW : Softmax.probabilityError(reference, n, u);
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        for (int n : Softmax.ROW_LENGTHS) {
            cases.add(of(1, n, false, 0, IGNORE, 3));
            cases.add(of(7, n, false, 0, IGNORE, 3));
            cases.add(of(7, n, true, 0.1, 0, 3));
        }
        cases.add(of(3301, 10, false, 0, IGNORE, 3));
        cases.add(of(3301, 10, true, 0.1, 3, 3));
        cases.add(of(40, 1000, false, 0.1, IGNORE, 20));
        cases.add(of(0, 5, true, 0.1, IGNORE, 3));
        cases.add(of(5, 1, false, 0, 0, 3));
        cases.add(of(9, 37, true, 1, IGNORE, 3));
        cases.add(of(9, 37, false, 0, IGNORE, 1e4));
        cases.add(of(9, 37, true, 0.2, 5, 1e4));
        return cases;
    }

    private static Case<Args> of(int rows, int n, boolean weighted, double smoothing, int ignore, double extreme) {
        return new Case<>(
                rows + "x" + n + (weighted ? " weighted" : "") + " smoothing=" + smoothing + " ignore=" + ignore
                        + " within " + extreme,
                t -> new Args(
                        t.input(Shape.of(rows, n), -extreme, extreme),
                        t.indices(Shape.of(rows), 0, n),
                        weighted ? t.wide(Shape.of(n), 0.5, 2) : null,
                        t.wideOutput(),
                        t.wideOutput(rows, n),
                        smoothing,
                        ignore));
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "rank",
                        t -> new Args(
                                t.input(3), t.indices(Shape.of(3), 0, 2), null, t.output(), t.output(3), 0, IGNORE),
                        "logits is F32[3], expected rank 2"),
                new Rejection(
                        "no classes",
                        t -> new Args(
                                t.input(3, 0),
                                t.indices(Shape.of(3), 0, 2),
                                null,
                                t.output(),
                                t.output(3, 0),
                                0,
                                IGNORE),
                        "expected at least one class"),
                new Rejection(
                        "real labels",
                        t -> new Args(t.input(3, 4), t.input(3), null, t.output(), t.output(3, 4), 0, IGNORE),
                        "labels is F32[3], expected dtype I32"),
                new Rejection(
                        "number of labels",
                        t -> new Args(
                                t.input(3, 4),
                                t.indices(Shape.of(4), 0, 4),
                                null,
                                t.output(),
                                t.output(3, 4),
                                0,
                                IGNORE),
                        "labels is I32[4], expected shape 3"),
                new Rejection(
                        "number of weights",
                        t -> new Args(
                                t.input(3, 4),
                                t.indices(Shape.of(3), 0, 4),
                                t.input(3),
                                t.output(),
                                t.output(3, 4),
                                0,
                                IGNORE),
                        "weights is F32[3], expected shape 4"),
                new Rejection(
                        "smoothing",
                        t -> new Args(
                                t.input(3, 4),
                                t.indices(Shape.of(3), 0, 4),
                                null,
                                t.output(),
                                t.output(3, 4),
                                1.5,
                                IGNORE),
                        "labelSmoothing is 1.5, expected 0..1"),
                new Rejection(
                        "narrow loss",
                        t -> new Args(
                                t.output(DType.BF16, Shape.of(3, 4)),
                                t.indices(Shape.of(3), 0, 4),
                                null,
                                t.output(DType.BF16, Shape.of()),
                                t.output(3, 4),
                                0,
                                IGNORE),
                        "loss is BF16[scalar], expected dtype F32"),
                new Rejection(
                        "in place",
                        t -> {
                            Tensor logits = t.input(3, 4);
                            return new Args(logits, t.indices(Shape.of(3), 0, 4), null, t.output(), logits, 0, IGNORE);
                        },
                        "probabilities overlaps logits"));
    }
}
