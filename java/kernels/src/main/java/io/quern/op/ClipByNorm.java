package io.quern.op;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.List;

/**
 * y = x min(1, limit / (norm + 1e-6)), where {@code square} holds the square of the norm. y may be x.
 *
 * <p>Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.
 */
public final class ClipByNorm implements Op<ClipByNorm.Args> {
    public static final ClipByNorm OP = new ClipByNorm();

    /**
     * @param x any shape
     * @param square a scalar, as {@link SquaredNorm} gives it: F32 if x is BF16
     * @param y x's shape
     * @param limit the largest norm allowed, positive
     */
    public record Args(Tensor x, Tensor square, Tensor y, double limit) implements OpArgs {
        public Args {
            Check.supported(x, OP, "x");
            Check.shape(square, Shape.of(), "ClipByNorm", "square");
            Check.dtype(square, x.dtype().accumulator(), "ClipByNorm", "square");
            Check.shape(y, x.shape(), "ClipByNorm", "y");
            Check.dtype(y, x.dtype(), "ClipByNorm", "y");
            Check.inPlaceOrApart(y, x, "ClipByNorm", "y", "x");
            Check.apart(y, square, "ClipByNorm", "y", "square");
            if (!(limit > 0)) {
                throw Check.failed("ClipByNorm", "limit is " + limit + ", expected a positive number");
            }
        }

        /** What every element is multiplied by; NaN if the norm is. */
        public double factor() {
            return Math.min(1, limit / (Math.sqrt(square.get(0)) + 1e-6));
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(x, square);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(y);
        }
    }

    private ClipByNorm() {}

    @Override
    public void reference(Args args) {
        double factor = args.factor();
        for (long i = 0; i < args.y.elements(); i++) {
            args.y.set(i, factor * args.x.get(i));
        }
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(args.y.elements(), args);
    }

    /** The factor is rounded, then the product. */
    @Override
    public Bound bound(Args args, double u) {
        return Bounds.ulps(2, u);
    }

    @Override
    public List<Case<Args>> cases() {
        return Cases.lengths()
                .boxed()
                .flatMap(n -> java.util.stream.Stream.of(0.1, 10.0)
                        .map(limit -> new Case<>(
                                "limit " + limit + " n=" + n,
                                t -> new Args(t.input(n), t.wide(Shape.of(), 0.5, 9), t.output(n), limit))))
                .toList();
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "limit 0", t -> new Args(t.input(3), t.input(), t.output(3), 0), "expected a positive number"),
                new Rejection(
                        "no scalar", t -> new Args(t.input(3), t.input(3), t.output(3), 1), "expected shape scalar"));
    }
}
