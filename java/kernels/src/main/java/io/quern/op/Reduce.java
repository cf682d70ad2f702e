package io.quern.op;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * y = sum, mean or maximum of x over a run of neighbouring axes.
 *
 * <p>x is seen as [outer, reduced, inner], y as [outer, inner]. Axes {@code first .. last} are removed: 0 .. rank-1
 * gives a scalar, 0 .. rank-2 a bias gradient, 1 .. 2 of NHWC a global average. The maximum has no gradient here
 * (MaxPool has); sum and mean have. BF16 is summed in F32; the result is BF16, rounded once, or F32.
 */
public final class Reduce implements Op<Reduce.Args> {
    public static final Reduce OP = new Reduce();

    /**
     * @param x rank 1 or more; the reduced axes are not empty for MEAN and MAX
     * @param y x's shape without axes first..last; x's dtype, or F32 if that is BF16
     */
    public record Args(Tensor x, Tensor y, ReduceKind kind, int first, int last) implements OpArgs {
        public Args {
            Check.supported(x, OP, "x");
            if (!(0 <= first && first <= last && last < x.rank())) {
                throw Check.failed("Reduce", "axes " + first + ".." + last + " are outside x, which is " + x);
            }
            Check.shape(y, reducedShape(x.shape(), first, last), "Reduce", "y");
            Check.storedOrSummed(y, x.dtype(), "Reduce", "y");
            Check.apart(y, x, "Reduce", "y", "x");
            if (!(kind == ReduceKind.SUM || reducedElements(x.shape(), first, last) > 0)) {
                throw Check.failed("Reduce", kind + " over no elements of x, which is " + x);
            }
        }

        /** Elements before the reduced axes. */
        public long outer() {
            return IntStream.range(0, first).mapToLong(x::size).reduce(1, (a, b) -> a * b);
        }

        /** Elements combined into one. */
        public long reduced() {
            return reducedElements(x.shape(), first, last);
        }

        /** Elements behind the reduced axes. */
        public long inner() {
            return IntStream.range(last + 1, x.rank()).mapToLong(x::size).reduce(1, (a, b) -> a * b);
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

    private Reduce() {}

    private static long reducedElements(Shape shape, int first, int last) {
        return IntStream.rangeClosed(first, last).mapToLong(shape::size).reduce(1, (a, b) -> a * b);
    }

    private static Shape reducedShape(Shape shape, int first, int last) {
        return Shape.of(IntStream.range(0, shape.rank())
                .filter(axis -> axis < first || axis > last)
                .mapToLong(shape::size)
                .toArray());
    }

    /** The reduction over axes first..last, recorded on the tape. */
    public static Tensor apply(Tape tape, Tensor x, ReduceKind kind, int first, int last) {
        Tensor y = tape.allocate(x.dtype(), reducedShape(x.shape(), first, last));
        tape.run(OP, new Args(x, y, kind, first, last));
        return y;
    }

    @Override
    public void reference(Args args) {
        long reduced = args.reduced();
        long inner = args.inner();
        for (long o = 0; o < args.outer(); o++) {
            for (long i = 0; i < inner; i++) {
                double result = args.kind == ReduceKind.MAX ? Double.NEGATIVE_INFINITY : 0;
                for (long r = 0; r < reduced; r++) {
                    double value = args.x.get((o * reduced + r) * inner + i);
                    result = args.kind == ReduceKind.MAX ? Math.max(result, value) : result + value;
                }
                args.y.set(o * inner + i, args.kind == ReduceKind.MEAN ? result / reduced : result);
            }
        }
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    @Override
    public boolean hasGradient(Args args, Tensor input) {
        return args.kind != ReduceKind.MAX;
    }

    @Override
    public void backward(Args args, Gradients gradients) {
        Check.that(args.kind != ReduceKind.MAX, "Reduce", "MAX has no gradient; use MaxPool");
        double scale = args.kind == ReduceKind.MEAN ? 1.0 / args.reduced() : 1;
        gradients.add(
                args.x,
                dx -> gradients.run(
                        Broadcast.OP, new Broadcast.Args(gradients.of(args.y), dx, scale, args.first, args.last)));
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(args.x.elements(), args);
    }

    @Override
    public Bound bound(Args args, double u) {
        return args.kind == ReduceKind.MAX ? Bounds.exact() : Bounds.linear(this, args, args.reduced(), u);
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        for (ReduceKind kind : ReduceKind.values()) {
            Cases.lengths().filter(n -> n > 0).forEach(n -> {
                cases.add(new Case<>(kind + " all of " + n, t -> new Args(t.input(n), t.output(), kind, 0, 0)));
                cases.add(new Case<>(kind + " rows of 3x" + n, t -> new Args(t.input(3, n), t.output(3), kind, 1, 1)));
                cases.add(
                        new Case<>(kind + " columns of 5x" + n, t -> new Args(t.input(5, n), t.output(n), kind, 0, 0)));
            });
            cases.add(new Case<>(kind + " 2x(5x7)x3", t -> new Args(t.input(2, 5, 7, 3), t.output(2, 3), kind, 1, 2)));
            cases.add(
                    new Case<>(kind + " 4x(6x6)x19", t -> new Args(t.input(4, 6, 6, 19), t.output(4, 19), kind, 1, 2)));
            cases.add(new Case<>(kind + " (257)x33", t -> new Args(t.input(257, 33), t.output(33), kind, 0, 0)));
        }
        for (ReduceKind kind : ReduceKind.values()) {
            cases.add(new Case<>(
                    kind + " wide rows of 3x257", t -> new Args(t.input(3, 257), t.wideOutput(3), kind, 1, 1)));
            cases.add(new Case<>(
                    kind + " wide columns of 300x24", t -> new Args(t.input(300, 24), t.wideOutput(24), kind, 0, 0)));
            cases.add(new Case<>(
                    kind + " wide columns of 5x24", t -> new Args(t.input(5, 24), t.wideOutput(24), kind, 0, 0)));
            cases.add(new Case<>(kind + " of packed rows", t -> new Args(t.input(9, 136), t.output(9), kind, 1, 1)));
            cases.add(new Case<>(kind + " rows of 5x1000", t -> new Args(t.input(5, 1000), t.output(5), kind, 1, 1)));
            cases.add(new Case<>(
                    kind + " wide of packed rows", t -> new Args(t.input(9, 136), t.wideOutput(9), kind, 1, 1)));
            cases.add(new Case<>(kind + " wide long row", t -> new Args(t.input(20_480), t.wideOutput(), kind, 0, 0)));
        }
        cases.add(new Case<>("SUM of long rows", t -> new Args(t.input(3, 8200), t.output(3), ReduceKind.SUM, 1, 1)));
        cases.add(new Case<>("SUM of odd rows", t -> new Args(t.input(3, 4099), t.output(3), ReduceKind.SUM, 1, 1)));
        cases.add(new Case<>("SUM of nothing", t -> new Args(t.input(0, 3), t.output(3), ReduceKind.SUM, 0, 0)));
        return cases;
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "axis outside",
                        t -> new Args(t.input(3, 4), t.output(3), ReduceKind.SUM, 1, 2),
                        "axes 1..2 are outside x"),
                new Rejection(
                        "mean of nothing",
                        t -> new Args(t.input(0, 4), t.output(4), ReduceKind.MEAN, 0, 0),
                        "MEAN over no elements"),
                new Rejection(
                        "narrower result",
                        t -> new Args(t.input(3, 4), t.output(DType.BF16, Shape.of(4)), ReduceKind.SUM, 0, 0),
                        "y is BF16[4], expected dtype F32"),
                new Rejection(
                        "other shape",
                        t -> new Args(t.input(3, 4), t.output(3), ReduceKind.SUM, 0, 0),
                        "y is F32[3], expected shape 4"));
    }
}
