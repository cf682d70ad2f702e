package io.quern.op;

import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** y = f(x), element by element, for the functions of {@link ActivationKind}. y may be x. */
public final class Activation implements Op<Activation.Args> {
    public static final Activation OP = new Activation();

    public record Args(Tensor x, Tensor y, ActivationKind kind) implements OpArgs {
        public Args {
            Check.supported(x, OP, "x");
            Check.shape(y, x.shape(), "Activation", "y");
            Check.dtype(y, x.dtype(), "Activation", "y");
            Check.inPlaceOrApart(y, x, "Activation", "y", "x");
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

    private Activation() {}

    /** f(x), recorded on the tape. */
    public static Tensor apply(Tape tape, Tensor x, ActivationKind kind) {
        Tensor y = tape.allocate(x.dtype(), x.shape());
        tape.run(OP, new Args(x, y, kind));
        return y;
    }

    @Override
    public void reference(Args args) {
        for (long i = 0; i < args.y.elements(); i++) {
            args.y.set(i, args.kind.value(args.x.get(i)));
        }
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    @Override
    public void backward(Args args, Gradients gradients) {
        gradients.add(
                args.x,
                dx -> gradients.run(
                        ActivationBackward.OP,
                        new ActivationBackward.Args(
                                args.kind.fromOutput() ? args.y : args.x, gradients.of(args.y), dx, args.kind)));
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(args.y.elements(), args);
    }

    /**
     * A few ulps of the result. GELU passes a rounded argument z to s = 1 / (1 + exp(-z)), whose relative error is
     * z (1 - s) times that of z; where that factor is large, s is small.
     */
    @Override
    public Bound bound(Args args, double u) {
        return switch (args.kind) {
            case NONE, RELU, LEAKY_RELU -> Bounds.ulps(1, u);
            case SIGMOID, TANH, SILU -> Bounds.ulps(8, u);
            case GELU ->
                (output, index, reference) -> {
                    double z = Math.min(-ActivationKind.geluArgument(args.x.get(index)), 200);
                    return Bounds.ulps(8 + 2 * Math.max(z, 0), u).at(output, index, reference);
                };
        };
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        for (ActivationKind kind : ActivationKind.values()) {
            Cases.lengths()
                    .forEach(n -> cases.add(new Case<>(
                            kind.label() + " n=" + n,
                            t -> new Args(t.input(io.quern.tensor.Shape.of(n), -6, 6), t.output(n), kind))));
        }
        return cases;
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(new Rejection(
                "other shape",
                t -> new Args(t.input(3), t.output(4), ActivationKind.RELU),
                "Activation: y is F32[4], expected shape 3"));
    }
}
