package io.quern.op;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * y[...] = index of the largest x[..., c] over the last axis. x: (..., C) with C at least 1; y: x's shape without its
 * last axis, I32. Of equal values the first counts; NaN counts as larger than every number.
 */
public final class ArgMax implements Op<ArgMax.Args> {
    public static final ArgMax OP = new ArgMax();

    public record Args(Tensor x, Tensor y) implements OpArgs {
        public Args {
            Check.supported(x, OP, "x");
            if (!(x.rank() > 0 && x.size(-1) > 0 && x.size(-1) <= Integer.MAX_VALUE)) {
                throw Check.failed("ArgMax", "x is " + x + ", expected a last axis of 1..2^31-1 elements");
            }
            Check.shape(y, Shape.of(Arrays.copyOf(x.shape().toArray(), x.rank() - 1)), "ArgMax", "y");
            Check.dtype(y, DType.I32, "ArgMax", "y");
            Check.apart(y, x, "ArgMax", "y", "x");
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

    private ArgMax() {}

    @Override
    public void reference(Args args) {
        int channels = args.x.dim(-1);
        for (long row = 0; row < args.y.elements(); row++) {
            int best = 0;
            double largest = args.x.get(row * channels);
            for (int c = 1; c < channels && !Double.isNaN(largest); c++) {
                double value = args.x.get(row * channels + c);
                if (!(value <= largest)) {
                    best = c;
                    largest = value;
                }
            }
            args.y.set(row, best);
        }
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(args.x.elements(), args);
    }

    @Override
    public Bound bound(Args args, double u) {
        return Bounds.exact();
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        Cases.lengths().filter(n -> n > 0).forEach(n -> {
            cases.add(new Case<>("3x" + n, t -> new Args(t.input(3, n), t.output(DType.I32, Shape.of(3)))));
            cases.add(new Case<>(
                    "ties 2x" + n, t -> new Args(t.input(Shape.of(2, n), 0, 0), t.output(DType.I32, Shape.of(2)))));
        });
        cases.add(new Case<>("packed 3x136", t -> new Args(t.input(3, 136), t.output(DType.I32, Shape.of(3)))));
        cases.add(new Case<>(
                "packed ties 2x1024",
                t -> new Args(t.input(Shape.of(2, 1024), 0, 0), t.output(DType.I32, Shape.of(2)))));
        cases.add(new Case<>("vector", t -> new Args(t.input(77), t.output(DType.I32, Shape.of()))));
        cases.add(new Case<>("no rows", t -> new Args(t.input(0, 7), t.output(DType.I32, Shape.of(0)))));
        cases.add(new Case<>("5x7x10", t -> new Args(t.input(5, 7, 10), t.output(DType.I32, Shape.of(5, 7)))));
        cases.add(new Case<>("1500x10", t -> new Args(t.input(1500, 10), t.output(DType.I32, Shape.of(1500)))));
        return cases;
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "nothing to choose from",
                        t -> new Args(t.input(3, 0), t.output(DType.I32, Shape.of(3))),
                        "ArgMax: x is F32[3x0], expected a last axis"),
                new Rejection("real result", t -> new Args(t.input(3, 2), t.output(3)), "expected dtype I32"),
                new Rejection(
                        "other shape",
                        t -> new Args(t.input(3, 2), t.output(DType.I32, Shape.of(2))),
                        "y is I32[2], expected shape 3"));
    }
}
