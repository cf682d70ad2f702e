package io.quern.op;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The gradient of {@link SoftmaxCrossEntropy} from its probabilities p and target q, as defined there:
 *
 * <pre>
 * dlogits[r, c] = dloss / sum_r w[t(r)] (p[r, c] sum_k q[r, k] - q[r, c])
 * </pre>
 *
 * <p>0 for ignored rows, whatever they hold. dlogits may be the probabilities. Of BF16 logits, only dlogits is BF16.
 */
public final class SoftmaxCrossEntropyBackward implements Op<SoftmaxCrossEntropyBackward.Args> {
    public static final SoftmaxCrossEntropyBackward OP = new SoftmaxCrossEntropyBackward();

    private static final String NAME = "SoftmaxCrossEntropyBackward";

    /**
     * @param probabilities (rows, classes), from the forward op
     * @param labels I32 (rows), as given to the forward op
     * @param weights (classes), or null
     * @param dloss scalar
     * @param dlogits probabilities' shape and dtype, or BF16 if that is F32
     */
    public record Args(
            Tensor probabilities,
            Tensor labels,
            Tensor weights,
            Tensor dloss,
            Tensor dlogits,
            double labelSmoothing,
            int ignoreIndex)
            implements OpArgs {
        public Args {
            Check.computable(probabilities, NAME, "probabilities");
            SoftmaxTargets.check(NAME, "probabilities", probabilities, labels, weights, labelSmoothing);
            Check.shape(dloss, Shape.of(), NAME, "dloss");
            Check.dtype(dloss, probabilities.dtype(), NAME, "dloss");
            Check.shape(dlogits, probabilities.shape(), NAME, "dlogits");
            Check.summedIn(probabilities.dtype(), dlogits, NAME, "dlogits");
            Check.inPlaceOrApart(dlogits, probabilities, NAME, "dlogits", "probabilities");
            Check.apart(dlogits, labels, NAME, "dlogits", "labels");
            Check.apart(dlogits, weights, NAME, "dlogits", "weights");
            Check.apart(dlogits, dloss, NAME, "dlogits", "dloss");
        }

        public int rows() {
            return probabilities.dim(0);
        }

        public int classes() {
            return probabilities.dim(1);
        }

        /** The labels, each checked to be a class or {@link #ignoreIndex}. */
        public int[] checkedLabels() {
            return SoftmaxTargets.checkedLabels(NAME, labels, classes(), ignoreIndex);
        }

        /** dloss / sum_r w[t(r)], or 0 if that sum is 0. */
        public double scale(int[] checkedLabels) {
            double total = SoftmaxTargets.totalWeight(checkedLabels, weights, ignoreIndex);
            return total == 0 ? 0 : dloss.item() / total;
        }

        /** q[r, c] of a row with this label. */
        public double target(int label, int c) {
            return SoftmaxTargets.target(weights, labelSmoothing, classes(), label, c);
        }

        /** sum_k q[r, k] of a row with this label. */
        public double mass(int label) {
            double spread = 0;
            for (int c = 0; labelSmoothing > 0 && c < classes(); c++) {
                spread += SoftmaxTargets.weight(weights, c);
            }
            return (1 - labelSmoothing) * SoftmaxTargets.weight(weights, label) + labelSmoothing / classes() * spread;
        }

        @Override
        public List<Tensor> inputs() {
            return Stream.of(probabilities, labels, weights, dloss)
                    .filter(Objects::nonNull)
                    .toList();
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(dlogits);
        }
    }

    private SoftmaxCrossEntropyBackward() {}

    @Override
    public void reference(Args args) {
        int[] labels = args.checkedLabels();
        int n = args.classes();
        double scale = args.scale(labels);
        for (int r = 0; r < args.rows(); r++) {
            int label = labels[r];
            double mass = label == args.ignoreIndex ? 0 : args.mass(label);
            for (int c = 0; c < n; c++) {
                long i = (long) r * n + c;
                args.dlogits.set(
                        i,
                        label == args.ignoreIndex
                                ? 0
                                : scale * (args.probabilities.get(i) * mass - args.target(label, c)));
            }
        }
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(2.0 * args.probabilities.elements(), args);
    }

    /** The terms' absolute values, each with a few roundings, and those of the two sums of weights. */
    @Override
    public Bound bound(Args args, double u) {
        int[] labels = args.checkedLabels();
        int n = args.classes();
        double scale = Math.abs(args.scale(labels));
        double gamma = Bounds.gamma(8 + (args.weights == null ? 0 : args.rows() + n), u);
        return (output, index, reference) -> {
            int label = labels[(int) index / n];
            if (label == args.ignoreIndex) {
                return 0;
            }
            double p = Math.abs(args.probabilities.get(index));
            double magnitude = p * args.mass(label) + args.target(label, (int) index % n);
            return gamma * scale * magnitude + Bounds.UNDERFLOW;
        };
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        for (int n : Softmax.ROW_LENGTHS) {
            cases.add(of(1, n, false, 0, SoftmaxCrossEntropy.IGNORE));
            cases.add(of(7, n, false, 0, SoftmaxCrossEntropy.IGNORE));
            cases.add(of(7, n, true, 0.1, 0));
        }
        cases.add(of(3301, 10, false, 0, SoftmaxCrossEntropy.IGNORE));
        cases.add(of(3301, 10, true, 0.1, 3));
        cases.add(of(40, 1000, false, 0.1, SoftmaxCrossEntropy.IGNORE));
        cases.add(of(0, 5, true, 0.1, SoftmaxCrossEntropy.IGNORE));
        cases.add(of(5, 1, false, 0, 0));
        cases.add(of(9, 37, true, 1, SoftmaxCrossEntropy.IGNORE));
        return cases;
    }

    private static Case<Args> of(int rows, int n, boolean weighted, double smoothing, int ignore) {
        return new Case<>(
                rows + "x" + n + (weighted ? " weighted" : "") + " smoothing=" + smoothing + " ignore=" + ignore,
                t -> new Args(
                        t.wide(Shape.of(rows, n), 0, 1),
                        t.indices(Shape.of(rows), 0, n),
                        weighted ? t.wide(Shape.of(n), 0.5, 2) : null,
                        t.wide(),
                        t.output(rows, n),
                        smoothing,
                        ignore));
    }

    @Override
    public List<Rejection> rejections() {
        int ignore = SoftmaxCrossEntropy.IGNORE;
        return List.of(
                new Rejection(
                        "loss per row",
                        t -> new Args(
                                t.input(3, 4),
                                t.indices(Shape.of(3), 0, 4),
                                null,
                                t.input(3),
                                t.output(3, 4),
                                0,
                                ignore),
                        "dloss is F32[3], expected shape scalar"),
                new Rejection(
                        "other shape",
                        t -> new Args(
                                t.input(3, 4),
                                t.indices(Shape.of(3), 0, 4),
                                null,
                                t.input(),
                                t.output(4, 3),
                                0,
                                ignore),
                        "dlogits is F32[4x3], expected shape 3x4"),
                new Rejection(
                        "narrow probabilities",
                        t -> new Args(
                                t.output(DType.BF16, Shape.of(3, 4)),
                                t.indices(Shape.of(3), 0, 4),
                                null,
                                t.input(),
                                t.output(DType.BF16, Shape.of(3, 4)),
                                0,
                                ignore),
                        "probabilities is BF16[3x4], expected F32 or F64"),
                new Rejection(
                        "number of labels",
                        t -> new Args(
                                t.input(3, 4),
                                t.indices(Shape.of(2), 0, 4),
                                null,
                                t.input(),
                                t.output(3, 4),
                                0,
                                ignore),
                        "labels is I32[2], expected shape 3"));
    }
}
