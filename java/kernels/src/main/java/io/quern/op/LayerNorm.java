package io.quern.op;

import static io.quern.op.NormArguments.named;

import io.quern.op.NormArguments.Named;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * y = (x - m) / sqrt(v + epsilon) gamma + beta, with mean m and variance v (divided by n) of each row over the last axis.
 * Ba, Kiros, Hinton, "Layer normalization", 2016.
 *
 * <p>x: (..., n); all axes but the last count rows. With BF16 x and y, scale, shift and statistics are F32.
 */
public final class LayerNorm implements Op<LayerNorm.Args> {
    public static final LayerNorm OP = new LayerNorm();

    /** Epsilon where nothing else is asked for. */
    public static final double EPSILON = 1e-5;

    private static final String NAME = "LayerNorm";

    /**
     * @param x (..., n)
     * @param gamma (n)
     * @param beta (n)
     * @param y x's shape
     * @param mean x's shape without the last axis: receives m
     * @param inverseDeviation mean's shape: receives 1 / sqrt(v + epsilon)
     * @param epsilon greater than 0
     */
    public record Args(
            Tensor x, Tensor gamma, Tensor beta, Tensor y, Tensor mean, Tensor inverseDeviation, double epsilon)
            implements OpArgs {
        public Args {
            NormArguments.checkInput(OP, "x", x);
            NormArguments.checkEpsilon(NAME, epsilon);
            Named namedGamma = named("gamma", gamma);
            Named namedBeta = named("beta", beta);
            Named namedY = named("y", y);
            Named namedMean = named("mean", mean);
            Named namedInverse = named("inverseDeviation", inverseDeviation);
            NormArguments.checkSums(NAME, Shape.of(x.size(-1)), x, namedGamma, namedBeta);
            NormArguments.checkLike(NAME, x, namedY);
            NormArguments.checkSums(NAME, rowShape(x.shape()), x, namedMean, namedInverse);
            NormArguments.checkApart(
                    NAME, List.of(namedY, namedMean, namedInverse), List.of(named("x", x), namedGamma, namedBeta));
            if (!(x.size(-1) > 0)) {
                throw Check.failed(NAME, "x is " + x + ", expected rows of at least one element");
            }
        }

        /** Length of the last axis. */
        public int columns() {
            return x.dim(-1);
        }

        /** Product of the other axes. */
        public long rows() {
            return x.elements() / columns();
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(x, gamma, beta);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(y, mean, inverseDeviation);
        }
    }

    private LayerNorm() {}

    /** The shape of what there is one of per row. */
    static Shape rowShape(Shape shape) {
        return Shape.of(java.util.Arrays.copyOf(shape.toArray(), shape.rank() - 1));
    }

    /** The normalised rows of x, recorded on the tape. */
    public static Tensor apply(Tape tape, Tensor x, Tensor gamma, Tensor beta, double epsilon) {
        Tensor y = tape.allocate(x.dtype(), x.shape());
        Tensor mean = tape.allocate(x.dtype().accumulator(), rowShape(x.shape()));
        Tensor inverseDeviation = tape.allocate(mean.dtype(), mean.shape());
        tape.run(OP, new Args(x, gamma, beta, y, mean, inverseDeviation, epsilon));
        return y;
    }

    @Override
    public void reference(Args args) {
        int n = args.columns();
        for (long r = 0; r < args.rows(); r++) {
            Moments moments = Moments.of(args.x, r * n, n, 1);
            double inverse = moments.inverse(args.epsilon);
            args.mean.set(r, moments.mean());
            args.inverseDeviation.set(r, inverse);
            for (int c = 0; c < n; c++) {
                long i = r * n + c;
                args.y.set(i, (args.x.get(i) - moments.mean()) * inverse * args.gamma.get(c) + args.beta.get(c));
            }
        }
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    @Override
    public void backward(Args args, Gradients gradients) {
        Tensor dx = gradients.wants(args.x) ? gradients.allocate(args.x.dtype(), args.x.shape()) : null;
        Tensor dgamma = gradients.place(args.gamma);
        Tensor dbeta = gradients.place(args.beta);
        gradients.run(
                LayerNormBackward.OP,
                new LayerNormBackward.Args(
                        args.x, gradients.of(args.y), args.gamma, args.mean, args.inverseDeviation, dx, dgamma, dbeta));
        gradients.share(args.x, dx);
        gradients.share(args.gamma, dgamma);
        gradients.share(args.beta, dbeta);
    }

    /** Per element: the sum; difference, square and sum; difference, multiply, multiply-add. */
    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(8.0 * args.x.elements(), args);
    }

    /** See {@link Moments}. */
    @Override
    public Bound bound(Args args, double u) {
        int n = args.columns();
        Moments[] moments = new Moments[Math.toIntExact(args.rows())];
        for (int r = 0; r < moments.length; r++) {
            moments[r] = Moments.of(args.x, (long) r * n, n, 1);
        }
        return (output, index, reference) -> {
            int c = (int) (index % n);
            return Bounds.UNDERFLOW
                    + switch (output) {
                        case 0 ->
                            moments[(int) (index / n)].normalizedError(
                                    args.x.get(index), args.gamma.get(c), args.beta.get(c), n, args.epsilon, u);
                        case 1 -> moments[(int) index].meanError(n, u);
                        default -> moments[(int) index].inverseError(n, args.epsilon, u);
                    };
        };
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        for (int n : Softmax.ROW_LENGTHS) {
            // few values may lie close together: a larger epsilon keeps the differences of the gradient check accurate
            double epsilon = n < 8 ? 0.1 : EPSILON;
            cases.add(of(Shape.of(1, n), -1, 1, epsilon));
            cases.add(of(Shape.of(7, n), -1, 1, epsilon));
        }
        cases.add(of(Shape.of(3301, 10), -1, 1, EPSILON));
        cases.add(of(Shape.of(37, 1000), -1, 1, EPSILON));
        cases.add(of(Shape.of(2, 3, 5, 17), -1, 1, EPSILON));
        cases.add(of(Shape.of(23), -1, 1, EPSILON));
        cases.add(of(Shape.of(0, 5), -1, 1, EPSILON));
        // a mean of many deviations, no deviation at all, a large epsilon
        cases.add(of(Shape.of(9, 130), 1000, 1001, EPSILON));
        cases.add(of(Shape.of(9, 37), 3, 3, EPSILON));
        cases.add(of(Shape.of(9, 37), -100, 100, 0.5));
        return cases;
    }

    private static Case<Args> of(Shape shape, double low, double high, double epsilon) {
        long n = shape.size(-1);
        return new Case<>(
                shape + " from " + low + " to " + high + " epsilon=" + epsilon,
                t -> new Args(
                        t.input(shape, low, high),
                        t.wide(n),
                        t.wide(n),
                        t.output(t.dtype(), shape),
                        t.output(t.dtype().accumulator(), rowShape(shape)),
                        t.output(t.dtype().accumulator(), rowShape(shape)),
                        epsilon));
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "epsilon 0",
                        t -> of(Shape.of(4, 5), -1, 1, 0).build().apply(t),
                        "epsilon is 0.0, expected more than 0"),
                new Rejection(
                        "empty rows",
                        t -> of(Shape.of(4, 0), -1, 1, EPSILON).build().apply(t),
                        "x is F32[4x0], expected rows of at least one element"),
                new Rejection(
                        "statistics per column",
                        t -> new Args(
                                t.input(4, 5), t.input(5), t.input(5), t.output(4, 5), t.output(5), t.output(4), 1e-5),
                        "mean is F32[5], expected shape 4"),
                new Rejection(
                        "in place",
                        t -> {
                            Tensor x = t.input(4, 5);
                            return new Args(x, t.input(5), t.input(5), x, t.output(4), t.output(4), 1e-5);
                        },
                        "y overlaps x"));
    }
}
