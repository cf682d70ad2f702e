package io.quern.op;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * y[r, i] = exp(x[r, i] - max_j x[r, j]) / sum_j exp(x[r, j] - max_j x[r, j]): probabilities over the last axis.
 *
 * <p>x: (..., n); all axes but the last count rows. y may be x. A -inf among finite numbers gets probability 0; a row
 * that is -inf throughout, or holds +inf or NaN, is NaN throughout.
 *
 * <p>BF16: exponentials and their sum are F32, probabilities are rounded once.
 */
public final class Softmax implements Op<Softmax.Args> {
    public static final Softmax OP = new Softmax();

    /** Lengths of the last axis around the lanes of every vector width, for the ops that work along it. */
    static final int[] ROW_LENGTHS = {1, 3, 5, 8, 10, 15, 16, 17, 31, 64, 65, 100, 131, 397, 1000, 1304};

    /**
     * @param x rank 1 or more
     * @param y x's shape
     */
    public record Args(Tensor x, Tensor y) implements OpArgs {
        public Args {
            Check.supported(x, OP, "x");
            if (!(x.rank() >= 1)) {
                throw Check.failed("Softmax", "x is " + x + ", expected rank 1 or more");
            }
            Check.shape(y, x.shape(), "Softmax", "y");
            Check.dtype(y, x.dtype(), "Softmax", "y");
            Check.inPlaceOrApart(y, x, "Softmax", "y", "x");
        }

        /** Length of the last axis. */
        public int columns() {
            return x.dim(-1);
        }

        /** Product of the other axes. */
        public long rows() {
            return columns() == 0 ? 0 : x.elements() / columns();
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

    private Softmax() {}

    /** The probabilities of the rows of x, recorded on the tape. */
    public static Tensor apply(Tape tape, Tensor x) {
        Tensor y = tape.allocate(x.dtype(), x.shape());
        tape.run(OP, new Args(x, y));
        return y;
    }

    @Override
    public void reference(Args args) {
        int n = args.columns();
        for (long r = 0; r < args.rows(); r++) {
            double[] row = row(args.x, r, n);
            double max = max(row);
            double sum = sumExp(row, max);
            for (int i = 0; i < n; i++) {
                args.y.set(r * n + i, Math.exp(row[i] - max) / sum);
            }
        }
    }

    static double[] row(Tensor x, long r, int n) {
        double[] row = new double[n];
        for (int i = 0; i < n; i++) {
            row[i] = x.get(r * n + i);
        }
        return row;
    }

    static double max(double[] row) {
        double max = Double.NEGATIVE_INFINITY;
        for (double value : row) {
            max = Math.max(max, value);
        }
        return max;
    }

    /** sum_i exp(x_i - max): between 1 and n, or NaN for a row of -inf. */
    static double sumExp(double[] row, double max) {
        double sum = 0;
        for (double value : row) {
            sum += Math.exp(value - max);
        }
        return sum;
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    @Override
    public void backward(Args args, Gradients gradients) {
        gradients.add(
                args.x,
                dx -> gradients.run(SoftmaxBackward.OP, new SoftmaxBackward.Args(args.y, gradients.of(args.y), dx)));
    }

    /** Per element: compare, subtract, exp (counted as 10), add, multiply. */
    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(14.0 * args.x.elements(), args);
    }

    @Override
    public Bound bound(Args args, double u) {
        int n = args.columns();
        return (output, index, reference) -> probabilityError(reference, n, u);
    }

    /**
     * Error of a probability p of n: x - max is rounded and exp passes its relative error on, |x_i - max| <= -ln p; the
     * sum adds n roundings and the mean of such errors, sum_j p_j |x_j - max| <= ln n; exp itself 4 ulps, twice.
     */
    static double probabilityError(double p, int n, double u) {
        double amplified = p > 0 ? -Math.log(p) + Math.log(n) : 0;
        return u * p * (n + amplified + 20) + Bounds.UNDERFLOW;
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        for (int n : ROW_LENGTHS) {
            for (int rows : new int[] {1, 2, 7}) {
                cases.add(new Case<>(rows + "x" + n, t -> new Args(t.input(rows, n), t.output(rows, n))));
            }
        }
        cases.add(new Case<>("3301x10", t -> new Args(t.input(3301, 10), t.output(3301, 10))));
        cases.add(new Case<>("37x1000", t -> new Args(t.input(37, 1000), t.output(37, 1000))));
        cases.add(new Case<>("2x3x5x7", t -> new Args(t.input(2, 3, 5, 7), t.output(2, 3, 5, 7))));
        cases.add(new Case<>("rank 1", t -> new Args(t.input(23), t.output(23))));
        cases.add(new Case<>("no rows", t -> new Args(t.input(0, 5), t.output(0, 5))));
        cases.add(new Case<>("no columns", t -> new Args(t.input(5, 0), t.output(5, 0))));
        for (double extreme : new double[] {20, 120, 1e4}) {
            cases.add(new Case<>(
                    "9x37 within " + extreme,
                    t -> new Args(t.input(Shape.of(9, 37), -extreme, extreme), t.output(9, 37))));
        }
        return cases;
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "other shape",
                        t -> new Args(t.input(3, 4), t.output(4, 3)),
                        "Softmax: y is F32[4x3], expected shape 3x4"),
                new Rejection("scalar", t -> new Args(t.input(), t.output()), "expected rank 1 or more"),
                new Rejection(
                        "partial overlap",
                        t -> {
                            Tensor memory = t.input(5, 3);
                            return new Args(memory.slice(0, 0, 4), memory.slice(0, 1, 5));
                        },
                        "y partly overlaps x"));
    }
}
