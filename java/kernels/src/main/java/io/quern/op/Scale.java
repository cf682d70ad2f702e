package io.quern.op;

import io.quern.tensor.Tensor;
import java.util.List;

/** y = factor x, element by element. y may be x. */
public final class Scale implements Op<Scale.Args> {
    public static final Scale OP = new Scale();

    public record Args(Tensor x, Tensor y, double factor) implements OpArgs {
        public Args {
            Check.supported(x, OP, "x");
            Check.shape(y, x.shape(), "Scale", "y");
            Check.dtype(y, x.dtype(), "Scale", "y");
            Check.inPlaceOrApart(y, x, "Scale", "y", "x");
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

    private Scale() {}

    /** factor x, recorded on the tape. */
    public static Tensor apply(Tape tape, Tensor x, double factor) {
        Tensor y = tape.allocate(x.dtype(), x.shape());
        tape.run(OP, new Args(x, y, factor));
        return y;
    }

    @Override
    public void reference(Args args) {
        for (long i = 0; i < args.y.elements(); i++) {
            args.y.set(i, args.factor * args.x.get(i));
        }
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    @Override
    public void backward(Args args, Gradients gradients) {
        gradients.add(args.x, dx -> gradients.run(OP, new Args(gradients.of(args.y), dx, args.factor)));
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
                .mapToObj(n -> new Case<>("n=" + n, t -> new Args(t.input(n), t.output(n), 0.3)))
                .toList();
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(new Rejection(
                "other shape", t -> new Args(t.input(3), t.output(4), 2), "Scale: y is F32[4], expected shape 3"));
    }
}
