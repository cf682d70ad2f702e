package io.quern.op;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.List;

/** y[i] = value. */
public final class Fill implements Op<Fill.Args> {
    public static final Fill OP = new Fill();

    /**
     * @param y any shape, real
     * @param value rounded to y's dtype
     */
    public record Args(Tensor y, double value) implements OpArgs {
        public Args {
            Check.supported(y, OP, "y");
        }

        @Override
        public List<Tensor> inputs() {
            return List.of();
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(y);
        }
    }

    private Fill() {}

    @Override
    public void reference(Args args) {
        args.y.fill(args.value);
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(0, args);
    }

    @Override
    public Bound bound(Args args, double u) {
        return Bounds.ulps(1, u);
    }

    @Override
    public List<Case<Args>> cases() {
        return Cases.lengths()
                .mapToObj(n -> new Case<>("n=" + n, t -> new Args(t.output(n), 0.3)))
                .toList();
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(new Rejection(
                "integers",
                t -> new Args(t.indices(Shape.of(3), 0, 2), 1),
                "Fill: y is I32[3], expected one of [F32, F64, BF16]"));
    }
}
