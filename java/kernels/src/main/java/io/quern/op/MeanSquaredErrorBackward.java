package io.quern.op;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.List;

/**
 * da = 2 (a - b) dy / n: the gradient of {@link MeanSquaredError} over n elements. dy: scalar, F32 for BF16; a, b, da of one
 * shape and dtype.
 */
public final class MeanSquaredErrorBackward implements Op<MeanSquaredErrorBackward.Args> {
    public static final MeanSquaredErrorBackward OP = new MeanSquaredErrorBackward();

    public record Args(Tensor a, Tensor b, Tensor dy, Tensor da) implements OpArgs {
        public Args {
            Check.supported(a, OP, "a");
            Check.shape(b, a.shape(), "MeanSquaredErrorBackward", "b");
            Check.dtype(b, a.dtype(), "MeanSquaredErrorBackward", "b");
            Check.shape(dy, Shape.of(), "MeanSquaredErrorBackward", "dy");
            Check.dtype(dy, a.dtype().accumulator(), "MeanSquaredErrorBackward", "dy");
            Check.shape(da, a.shape(), "MeanSquaredErrorBackward", "da");
            Check.dtype(da, a.dtype(), "MeanSquaredErrorBackward", "da");
            Check.inPlaceOrApart(da, a, "MeanSquaredErrorBackward", "da", "a");
            Check.inPlaceOrApart(da, b, "MeanSquaredErrorBackward", "da", "b");
            Check.apart(da, dy, "MeanSquaredErrorBackward", "da", "dy");
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(a, b, dy);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(da);
        }
    }

    private MeanSquaredErrorBackward() {}

    @Override
    public void reference(Args args) {
        double factor = 2 * args.dy.item() / args.a.elements();
        for (long i = 0; i < args.da.elements(); i++) {
            args.da.set(i, (args.a.get(i) - args.b.get(i)) * factor);
        }
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(2.0 * args.da.elements(), args);
    }

    /** Difference, factor and product are rounded; none of them cancels. */
    @Override
    public Bound bound(Args args, double u) {
        return Bounds.ulps(3, u);
    }

    @Override
    public List<Case<Args>> cases() {
        return Cases.lengths()
                .mapToObj(n -> new Case<>("n=" + n, t -> new Args(t.input(n), t.input(n), t.wide(), t.output(n))))
                .toList();
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "other shape",
                        t -> new Args(t.input(3), t.input(3), t.input(), t.output(4)),
                        "MeanSquaredErrorBackward: da is F32[4], expected shape 3"),
                new Rejection(
                        "gradient per element",
                        t -> new Args(t.input(3), t.input(3), t.input(3), t.output(3)),
                        "dy is F32[3], expected shape scalar"));
    }
}
