package io.quern.op;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** dx = dy f'(x), where {@code saved} is y if {@link ActivationKind#fromOutput}, else x. dx may be dy. */
public final class ActivationBackward implements Op<ActivationBackward.Args> {
    public static final ActivationBackward OP = new ActivationBackward();

    public record Args(Tensor saved, Tensor dy, Tensor dx, ActivationKind kind) implements OpArgs {
        public Args {
            Check.supported(saved, OP, "saved");
            Check.shape(dy, saved.shape(), "ActivationBackward", "dy");
            Check.dtype(dy, saved.dtype(), "ActivationBackward", "dy");
            Check.shape(dx, saved.shape(), "ActivationBackward", "dx");
            Check.dtype(dx, saved.dtype(), "ActivationBackward", "dx");
            Check.inPlaceOrApart(dx, dy, "ActivationBackward", "dx", "dy");
            Check.inPlaceOrApart(dx, saved, "ActivationBackward", "dx", "saved");
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(saved, dy);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(dx);
        }
    }

    private ActivationBackward() {}

    @Override
    public void reference(Args args) {
        for (long i = 0; i < args.dx.elements(); i++) {
            double saved = args.saved.get(i);
            args.dx.set(i, args.dy.get(i) * args.kind.derivative(saved, saved));
        }
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(3.0 * args.dx.elements(), args);
    }

    /** Derivatives are sums of terms of size about 1, so the error is relative to dy, not to the result. */
    @Override
    public Bound bound(Args args, double u) {
        double ulps = args.kind == ActivationKind.GELU || args.kind == ActivationKind.SILU ? 64 : 4;
        return (output, index, reference) -> 2 * u * ulps * Math.abs(args.dy.get(index)) + 0x1p-124;
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        for (ActivationKind kind : ActivationKind.values()) {
            double limit = kind.fromOutput() ? 1 : 6;
            Cases.lengths()
                    .forEach(n -> cases.add(new Case<>(
                            kind.label() + " n=" + n,
                            t -> new Args(t.input(Shape.of(n), -limit, limit), t.input(n), t.output(n), kind))));
        }
        return cases;
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(new Rejection(
                "other shape",
                t -> new Args(t.input(3), t.input(4), t.output(3), ActivationKind.RELU),
                "dy is F32[4], expected shape 3"));
    }
}
