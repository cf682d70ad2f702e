package io.quern.op;

import io.quern.tensor.Tensor;
import java.util.List;

/** y = a b, element by element; a, b, y of one shape. y may be a or b. */
public final class Multiply implements Op<Multiply.Args> {
    public static final Multiply OP = new Multiply();

    public record Args(Tensor a, Tensor b, Tensor y) implements OpArgs {
        public Args {
            Check.supported(a, OP, "a");
            Check.shape(b, a.shape(), "Multiply", "b");
            Check.dtype(b, a.dtype(), "Multiply", "b");
            Check.shape(y, a.shape(), "Multiply", "y");
            Check.dtype(y, a.dtype(), "Multiply", "y");
            Check.inPlaceOrApart(y, a, "Multiply", "y", "a");
            Check.inPlaceOrApart(y, b, "Multiply", "y", "b");
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(a, b);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(y);
        }
    }

    private Multiply() {}

    /** The product of two tensors of one shape, recorded on the tape. */
    public static Tensor apply(Tape tape, Tensor a, Tensor b) {
        Tensor y = tape.allocate(a.dtype(), a.shape());
        tape.run(OP, new Args(a, b, y));
        return y;
    }

    @Override
    public void reference(Args args) {
        for (long i = 0; i < args.y.elements(); i++) {
            args.y.set(i, args.a.get(i) * args.b.get(i));
        }
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    /** da = dy b, db = dy a; so y in place of a or b leaves nothing to compute them from. */
    @Override
    public void backward(Args args, Gradients gradients) {
        Check.that(
                !args.y.overlaps(args.a) && !args.y.overlaps(args.b),
                "Multiply",
                "no gradient after a product in place; give y memory of its own");
        gradients.add(args.a, da -> gradients.run(OP, new Args(gradients.of(args.y), args.b, da)));
        gradients.add(args.b, db -> gradients.run(OP, new Args(gradients.of(args.y), args.a, db)));
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(args.y.elements(), args);
    }

    @Override
    public Bound bound(Args args, double u) {
        return Bounds.ulps(1, u);
    }

    @Override
    public List<Case<Args>> cases() {
        return Cases.lengths()
                .mapToObj(n -> new Case<>("n=" + n, t -> new Args(t.input(n), t.input(n), t.output(n))))
                .toList();
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection("other shape", t -> new Args(t.input(3), t.input(4), t.output(3)), "expected shape 3"),
                new Rejection(
                        "partial overlap",
                        t -> {
                            Tensor memory = t.input(8);
                            return new Args(memory.slice(0, 0, 6), t.input(6), memory.slice(0, 2, 8));
                        },
                        "y partly overlaps a"));
    }
}
