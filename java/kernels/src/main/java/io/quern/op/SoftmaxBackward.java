package io.quern.op;

import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * dx[r, i] = y[r, i] (dy[r, i] - sum_j y[r, j] dy[r, j]): the gradient of {@link Softmax} from its output. dx may be dy
 * or y.
 */
public final class SoftmaxBackward implements Op<SoftmaxBackward.Args> {
    public static final SoftmaxBackward OP = new SoftmaxBackward();

    /**
     * @param y the probabilities, (..., n)
     * @param dy y's shape
     * @param dx y's shape
     */
    public record Args(Tensor y, Tensor dy, Tensor dx) implements OpArgs {
        public Args {
            Check.supported(y, OP, "y");
            if (!(y.rank() >= 1)) {
                throw Check.failed("SoftmaxBackward", "y is " + y + ", expected rank 1 or more");
            }
            Check.shape(dy, y.shape(), "SoftmaxBackward", "dy");
            Check.dtype(dy, y.dtype(), "SoftmaxBackward", "dy");
            Check.shape(dx, y.shape(), "SoftmaxBackward", "dx");
            Check.dtype(dx, y.dtype(), "SoftmaxBackward", "dx");
            Check.inPlaceOrApart(dx, dy, "SoftmaxBackward", "dx", "dy");
            Check.inPlaceOrApart(dx, y, "SoftmaxBackward", "dx", "y");
        }

        /** Length of the last axis. */
        public int columns() {
            return y.dim(-1);
        }

        /** Product of the other axes. */
        public long rows() {
            return columns() == 0 ? 0 : y.elements() / columns();
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(y, dy);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(dx);
        }
    }

    private SoftmaxBackward() {}

    @Override
    public void reference(Args args) {
        int n = args.columns();
        for (long r = 0; r < args.rows(); r++) {
            double dot = 0;
            for (long i = r * n; i < (r + 1) * n; i++) {
                dot += args.y.get(i) * args.dy.get(i);
            }
            for (long i = r * n; i < (r + 1) * n; i++) {
                args.dx.set(i, args.y.get(i) * (args.dy.get(i) - dot));
            }
        }
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(4.0 * args.y.elements(), args);
    }

    /** gamma_n on the row's sum |y dy|, then two roundings of the difference and the product. */
    @Override
    public Bound bound(Args args, double u) {
        int n = args.columns();
        double[] magnitude = new double[Math.toIntExact(args.rows())];
        for (int i = 0; i < args.y.elements(); i++) {
            magnitude[i / n] += Math.abs(args.y.get(i) * args.dy.get(i));
        }
        double gamma = Bounds.gamma(n + 2.0, u);
        return (output, index, reference) -> {
            double row = magnitude[(int) index / n];
            double y = Math.abs(args.y.get(index));
            return y * (gamma * row + 4 * u * Math.abs(args.dy.get(index))) + Bounds.UNDERFLOW;
        };
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        for (int n : Softmax.ROW_LENGTHS) {
            for (int rows : new int[] {1, 7}) {
                cases.add(new Case<>(
                        rows + "x" + n, t -> new Args(t.input(rows, n), t.input(rows, n), t.output(rows, n))));
            }
        }
        cases.add(new Case<>("3301x10", t -> new Args(t.input(3301, 10), t.input(3301, 10), t.output(3301, 10))));
        cases.add(new Case<>("2x3x5x7", t -> new Args(t.input(2, 3, 5, 7), t.input(2, 3, 5, 7), t.output(2, 3, 5, 7))));
        cases.add(new Case<>("no rows", t -> new Args(t.input(0, 5), t.input(0, 5), t.output(0, 5))));
        return cases;
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "other shape",
                        t -> new Args(t.input(3, 4), t.input(12), t.output(3, 4)),
                        "dy is F32[12], expected shape 3x4"),
                new Rejection(
                        "partial overlap",
                        t -> {
                            Tensor memory = t.input(5, 3);
                            return new Args(t.input(4, 3), memory.slice(0, 0, 4), memory.slice(0, 1, 5));
                        },
                        "dx partly overlaps dy"));
    }
}
