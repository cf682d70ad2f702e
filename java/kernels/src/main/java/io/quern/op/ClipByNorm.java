package io.quern.op;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Scales a list of tensors in place by min(1, maxNorm / (sqrt(squaredNorm) + 1e-6)), so that their common norm is at
 * most maxNorm. Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.
 *
 * <p>The norm is read on the device, from the result of {@link SquaredNorm}; nothing waits for it. A norm that is NaN
 * makes every element NaN.
 */
public final class ClipByNorm implements Op<ClipByNorm.Args> {
    public static final ClipByNorm OP = new ClipByNorm();

    /** Keeps the quotient finite when the norm is 0. */
    private static final double EPSILON = 1e-6;

    /**
     * @param tensors updated, of any shapes
     * @param squaredNorm scalar
     * @param maxNorm above 0
     */
    public record Args(List<Tensor> tensors, Tensor squaredNorm, double maxNorm) implements OpArgs {
        public Args {
            Check.computable(squaredNorm, "ClipByNorm", "squaredNorm");
            Check.shape(squaredNorm, Shape.of(), "ClipByNorm", "squaredNorm");
            Check.that(tensors != null, "ClipByNorm", "tensors is missing");
            for (int k = 0; k < tensors.size(); k++) {
                Check.dtype(tensors.get(k), squaredNorm.dtype(), "ClipByNorm", "tensors[" + k + "]");
                Check.apart(tensors.get(k), squaredNorm, "ClipByNorm", "tensors[" + k + "]", "squaredNorm");
            }
            TensorLists.distinct(tensors, "ClipByNorm", "tensors");
            Check.that(maxNorm > 0, "ClipByNorm", "maxNorm is " + maxNorm + ", expected more than 0");
            tensors = List.copyOf(tensors);
        }

        /** The common factor. */
        public double factor() {
            return Math.min(1, maxNorm / (Math.sqrt(squaredNorm.item()) + EPSILON));
        }

        @Override
        public List<Tensor> inputs() {
            return TensorLists.concat(tensors, List.of(squaredNorm));
        }

        @Override
        public List<Tensor> outputs() {
            return tensors;
        }
    }

    private ClipByNorm() {}

    @Override
    public void reference(Args args) {
        double factor = args.factor();
        for (Tensor tensor : args.tensors) {
            for (long i = 0; i < tensor.elements(); i++) {
                tensor.set(i, factor * tensor.get(i));
            }
        }
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(TensorLists.elements(args.tensors), args);
    }

    /** Root, sum, quotient and product are rounded. */
    @Override
    public Bound bound(Args args, double u) {
        return Bounds.ulps(4, u);
    }

    @Override
    public List<Case<Args>> cases() {
        return TensorLists.caseLengths()
                .flatMap(lengths -> java.util.stream.Stream.of(0.25, 100.0)
                        .map(maxNorm -> new Case<>(
                                "at most " + maxNorm + " n=" + Arrays.toString(lengths),
                                t -> new Args(
                                        TensorLists.of(t::input, lengths), t.input(Shape.of(), 1, 9), maxNorm))))
                .toList();
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "norm 0",
                        t -> new Args(List.of(t.input(3)), t.input(), 0),
                        "ClipByNorm: maxNorm is 0.0, expected more than 0"),
                new Rejection(
                        "norm per tensor",
                        t -> new Args(List.of(t.input(3)), t.input(1), 1),
                        "squaredNorm is F32[1], expected shape scalar"),
                new Rejection(
                        "a tensor twice",
                        t -> {
                            Tensor x = t.input(3);
                            return new Args(List.of(x, x), t.input(), 1);
                        },
                        "tensors holds one tensor twice"));
    }
}
