package io.quern.op;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * y[i] = x[i] in y's dtype, rounded once to nearest, ties to even.
 *
 * <p>Reals beyond the range become infinite; NaN stays NaN. To I32, values beyond the range become the nearest end of it
 * and NaN becomes 0. The gradient passes through as if nothing were rounded; integers have none.
 */
public final class Cast implements Op<Cast.Args> {
    public static final Cast OP = new Cast();

    /**
     * @param x any shape and dtype
     * @param y x's shape, any dtype
     */
    public record Args(Tensor x, Tensor y) implements OpArgs {
        public Args {
            Check.present(x, "Cast", "x");
            Check.shape(y, x.shape(), "Cast", "y");
            Check.apart(y, x, "Cast", "y", "x");
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

    private Cast() {}

    /** x in another dtype, recorded on the tape; x itself if it has that dtype. */
    public static Tensor apply(Tape tape, Tensor x, DType dtype) {
        if (x.dtype() == dtype) {
            return x;
        }
        Tensor y = tape.allocate(dtype, x.shape());
        tape.run(OP, new Args(x, y));
        return y;
    }

    @Override
    public void reference(Args args) {
        args.y.copyFrom(args.x);
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    /** Where y holds every value of x the cast is the identity; where it rounds, the gradient is an approximation. */
    @Override
    public boolean hasGradient(Args args, Tensor input) {
        return input.dtype().isReal()
                && args.y.dtype().unitRoundoff() <= input.dtype().unitRoundoff()
                && args.y.dtype().isReal();
    }

    @Override
    public void backward(Args args, Gradients gradients) {
        if (args.x.dtype().isReal() && args.y.dtype().isReal()) {
            gradients.add(args.x, dx -> gradients.run(OP, new Args(gradients.of(args.y), dx)));
        }
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(0, args);
    }

    /** One rounding to y's dtype, which has the last word on its size. */
    @Override
    public Bound bound(Args args, double u) {
        double roundoff = args.y.dtype().unitRoundoff();
        return (output, index, reference) -> roundoff == 0 ? 0 : u * Math.abs(reference);
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        for (DType to : DType.values()) {
            Cases.lengths()
                    .forEach(n -> cases.add(new Case<>(
                            "to " + to + " n=" + n,
                            t -> new Args(t.input(Shape.of(n), -9, 9), t.output(to, Shape.of(n))))));
        }
        for (DType to : DType.values()) {
            Cases.lengths().filter(n -> n < 300).forEach(n -> {
                cases.add(new Case<>(
                        "I32 to " + to + " n=" + n,
                        t -> new Args(
                                t.indices(Shape.of(n), Integer.MIN_VALUE / 2, Integer.MAX_VALUE / 2),
                                t.output(to, Shape.of(n)))));
                cases.add(new Case<>(
                        "BF16 to " + to + " n=" + n, t -> new Args(halves(t, n), t.output(to, Shape.of(n)))));
            });
        }
        cases.add(new Case<>(
                "large to I32",
                t -> new Args(t.input(Shape.of(97), -0x1p33, 0x1p33), t.output(DType.I32, Shape.of(97)))));
        cases.add(new Case<>(
                "large to BF16",
                t -> new Args(t.input(Shape.of(97), -0x1.fffffep127, 0x1p126), t.output(DType.BF16, Shape.of(97)))));
        return cases;
    }

    /** All patterns of 16 bits in turn that are not NaN, from small to large. */
    private static Tensor halves(CaseTensors tensors, long n) {
        Tensor x = tensors.output(DType.BF16, Shape.of(n));
        for (int i = 0; i < n; i++) {
            x.set(i, Float.intBitsToFloat(i % 0x7f81 << 16) * (i % 2 == 0 ? 1 : -1));
        }
        return x;
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "other shape",
                        t -> new Args(t.input(3), t.output(DType.BF16, Shape.of(4))),
                        "Cast: y is BF16[4], expected shape 3"),
                new Rejection(
                        "in place",
                        t -> {
                            Tensor x = t.input(3);
                            return new Args(x, x);
                        },
                        "y overlaps x"));
    }
}
