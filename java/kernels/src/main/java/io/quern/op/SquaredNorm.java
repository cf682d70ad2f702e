package io.quern.op;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.List;

/**
 * y = the sum of squares of all elements of x; y is a scalar, F32 if x is BF16. Its root is the global norm of a block of
 * gradients.
 */
public final class SquaredNorm implements Op<SquaredNorm.Args> {
    public static final SquaredNorm OP = new SquaredNorm();

    public record Args(Tensor x, Tensor y) implements OpArgs {
        public Args {
            Check.supported(x, OP, "x");
            Check.shape(y, Shape.of(), "SquaredNorm", "y");
            Check.dtype(y, x.dtype().accumulator(), "SquaredNorm", "y");
            Check.apart(y, x, "SquaredNorm", "y", "x");
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(x);
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
        for (long i = 0; i < args.x.elements(); i++) {
            double value = args.x.get(i);
            sum += value * value;
        }
        args.y.set(0, sum);
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(2.0 * args.x.elements(), args);
    }

    @Override
    public Bound bound(Args args, double u) {
        double gamma = Bounds.gamma(args.x.elements(), u);
        return (output, index, reference) -> gamma * reference + 0x1p-124;
    }

    @Override
    public List<Case<Args>> cases() {
        return Cases.lengths()
                .mapToObj(n -> new Case<>("n=" + n, t -> new Args(t.input(n), t.wideOutput())))
                .toList();
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(new Rejection(
                "no scalar", t -> new Args(t.input(3), t.output(1)), "y is F32[1], expected shape scalar"));
    }
}
