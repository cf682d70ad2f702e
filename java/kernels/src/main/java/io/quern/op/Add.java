package io.quern.op;

import io.quern.tensor.Tensor;
import java.util.List;

/** y = a + b, element by element; a, b, y of one shape. y may be a or b. */
public final class Add implements Op<Add.Args> {
    public static final Add OP = new Add();

    public record Args(Tensor a, Tensor b, Tensor y) implements OpArgs {
        public Args {
            Check.supported(a, OP, "a");
            Check.shape(b, a.shape(), "Add", "b");
            Check.dtype(b, a.dtype(), "Add", "b");
            Check.shape(y, a.shape(), "Add", "y");
            Check.dtype(y, a.dtype(), "Add", "y");
            Check.inPlaceOrApart(y, a, "Add", "y", "a");
            Check.inPlaceOrApart(y, b, "Add", "y", "b");
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

    private Add() {}

    /** The sum of two tensors of one shape, recorded on the tape. */
    public static Tensor apply(Tape tape, Tensor a, Tensor b) {
        Tensor y = tape.allocate(a.dtype(), a.shape());
        tape.run(OP, new Args(a, b, y));
        return y;
    }

    @Override
    public void reference(Args args) {
        for (long i = 0; i < args.y.elements(); i++) {
            args.y.set(i, args.a.get(i) + args.b.get(i));
        }
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    @Override
    public void backward(Args args, Gradients gradients) {
        gradients.share(args.a, gradients.of(args.y));
        gradients.share(args.b, gradients.of(args.y));
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
