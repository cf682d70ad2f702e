package io.quern.op;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * y = sum of the squares of all elements of a list of tensors, a scalar: with {@link ClipByNorm} the global gradient
 * norm.
 */
public final class SquaredNorm implements Op<SquaredNorm.Args> {
    public static final SquaredNorm OP = new SquaredNorm();

    /**
     * @param tensors any shapes, of y's dtype
     * @param y scalar
     */
    public record Args(List<Tensor> tensors, Tensor y) implements OpArgs {
        public Args {
            Check.computable(y, "SquaredNorm", "y");
            Check.shape(y, Shape.of(), "SquaredNorm", "y");
            Check.that(tensors != null, "SquaredNorm", "tensors is missing");
            for (int k = 0; k < tensors.size(); k++) {
                Check.dtype(tensors.get(k), y.dtype(), "SquaredNorm", "tensors[" + k + "]");
                Check.apart(y, tensors.get(k), "SquaredNorm", "y", "tensors[" + k + "]");
            }
            tensors = List.copyOf(tensors);
        }

        @Override
        public List<Tensor> inputs() {
            return tensors;
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(y);
        }
    }

    private SquaredNorm() {}

    @Override
    public void reference(Args args) {
        double sum = 0;
        for (Tensor tensor : args.tensors) {
            for (long i = 0; i < tensor.elements(); i++) {
                sum += tensor.get(i) * tensor.get(i);
            }
        }
        args.y.set(0, sum);
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(2.0 * TensorLists.elements(args.tensors), args);
    }

    /** Squares are positive, so the error is relative; partial sums of at most 512 terms are carried on in double. */
    @Override
    public Bound bound(Args args, double u) {
        double gamma = Bounds.gamma(Math.min(TensorLists.elements(args.tensors), 512) + 4.0, u);
        return (output, index, reference) -> gamma * reference + 0x1p-124;
    }

    @Override
    public List<Case<Args>> cases() {
        return TensorLists.caseLengths()
                .map(lengths -> new Case<>(
                        "n=" + Arrays.toString(lengths),
                        t -> new Args(TensorLists.of(t::input, lengths), t.output())))
                .toList();
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "result per tensor",
                        t -> new Args(List.of(t.input(3)), t.output(1)),
                        "SquaredNorm: y is F32[1], expected shape scalar"),
                new Rejection(
                        "integers",
                        t -> new Args(List.of(t.indices(Shape.of(3), 0, 2)), t.output()),
                        "tensors[0] is I32[3], expected dtype F32"));
    }
}
