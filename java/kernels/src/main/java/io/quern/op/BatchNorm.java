package io.quern.op;

import static io.quern.op.NormArguments.named;

import io.quern.op.NormArguments.Named;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Batch normalisation in training: y = (x - m) / sqrt(v + epsilon) gamma + beta, with mean m and variance v of each
 * channel over the batch. Ioffe, Szegedy, "Batch normalization", 2015.
 *
 * <p>x: (..., C); all axes but the last are the batch, N elements per channel. v divides by N. The running statistics
 * follow as in PyTorch: r = (1 - momentum) r + momentum s, where s is m, or the variance divided by N - 1. They do not
 * influence y. N must be 2 or more: one value per channel has no variance, and its y would be beta whatever x is.
 *
 * <p>With BF16 x and y, all that there is one of per channel is F32, here and in the other normalisations: a running
 * statistic moves by less than BF16 can hold, and C numbers are no traffic beside N x C.
 */
public final class BatchNorm implements Op<BatchNorm.Args> {
    public static final BatchNorm OP = new BatchNorm();

    /** Epsilon and momentum where nothing else is asked for. */
    public static final double EPSILON = 1e-5;

    public static final double MOMENTUM = 0.1;

    private static final String NAME = "BatchNorm";

    /**
     * @param x (..., C)
     * @param gamma (C)
     * @param beta (C)
     * @param runningMean (C), updated in place
     * @param runningVariance (C), updated in place
     * @param y x's shape
     * @param mean (C): receives m
     * @param inverseDeviation (C): receives 1 / sqrt(v + epsilon)
     * @param epsilon greater than 0
     * @param momentum weight of this batch in the running statistics, 0..1
     */
    public record Args(
            Tensor x,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            Tensor y,
            Tensor mean,
            Tensor inverseDeviation,
            double epsilon,
            double momentum)
            implements OpArgs {
        public Args {
            NormArguments.checkInput(OP, "x", x);
            NormArguments.checkEpsilon(NAME, epsilon);
            Named namedGamma = named("gamma", gamma);
            Named namedBeta = named("beta", beta);
            Named namedY = named("y", y);
            Named[] statistics = {
                named("runningMean", runningMean),
                named("runningVariance", runningVariance),
                named("mean", mean),
                named("inverseDeviation", inverseDeviation)
            };
            Shape channels = Shape.of(x.size(-1));
            NormArguments.checkSums(NAME, channels, x, namedGamma, namedBeta);
            NormArguments.checkSums(NAME, channels, x, statistics);
            NormArguments.checkLike(NAME, x, namedY);
            NormArguments.checkApart(
                    NAME,
                    List.of(namedY, statistics[0], statistics[1], statistics[2], statistics[3]),
                    List.of(named("x", x), namedGamma, namedBeta));
            if (!(momentum >= 0 && momentum <= 1)) {
                throw Check.failed(NAME, "momentum is " + momentum + ", expected 0..1");
            }
            if (!(x.size(-1) == 0 || x.elements() / x.size(-1) >= 2)) {
                throw Check.failed(
                        NAME,
                        "x is " + x
                                + ": statistics need 2 or more values per channel; use a larger batch (or leave out the"
                                + " incomplete last one), or BatchNormInference");
            }
        }

        public int channels() {
            return x.dim(-1);
        }

        /** Values per channel. */
        public long count() {
            return channels() == 0 ? 0 : x.elements() / channels();
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(x, gamma, beta, runningMean, runningVariance);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(y, mean, inverseDeviation, runningMean, runningVariance);
        }
    }

    private BatchNorm() {}

    /** x normalised by its own statistics, recorded on the tape; the running statistics are updated. */
    public static Tensor apply(
            Tape tape,
            Tensor x,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            double epsilon,
            double momentum) {
        Tensor y = tape.allocate(x.dtype(), x.shape());
        Tensor mean = tape.allocate(x.dtype().accumulator(), gamma.shape());
        Tensor inverseDeviation = tape.allocate(x.dtype().accumulator(), gamma.shape());
        tape.run(
                OP,
                new Args(x, gamma, beta, runningMean, runningVariance, y, mean, inverseDeviation, epsilon, momentum));
        return y;
    }

    @Override
    public void reference(Args args) {
        int channels = args.channels();
        long count = args.count();
        for (int c = 0; c < channels; c++) {
            Moments moments = Moments.of(args.x, c, count, channels);
            double inverse = moments.inverse(args.epsilon);
            args.mean.set(c, moments.mean());
            args.inverseDeviation.set(c, inverse);
            args.runningMean.set(c, mix(args.runningMean.get(c), moments.mean(), args.momentum));
            double unbiased = moments.variance() * count / (count - 1);
            args.runningVariance.set(c, mix(args.runningVariance.get(c), unbiased, args.momentum));
            for (long i = c; i < args.x.elements(); i += channels) {
                args.y.set(i, (args.x.get(i) - moments.mean()) * inverse * args.gamma.get(c) + args.beta.get(c));
            }
        }
    }

    private static double mix(double running, double batch, double momentum) {
        return (1 - momentum) * running + momentum * batch;
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    @Override
    public boolean hasGradient(Args args, Tensor input) {
        return input == args.x || input == args.gamma || input == args.beta;
    }

    @Override
    public void backward(Args args, Gradients gradients) {
        Tensor dx = gradients.wants(args.x) ? gradients.allocate(args.x.dtype(), args.x.shape()) : null;
        Tensor dgamma = gradients.place(args.gamma);
        Tensor dbeta = gradients.place(args.beta);
        gradients.run(
                BatchNormBackward.OP,
                new BatchNormBackward.Args(
                        args.x, gradients.of(args.y), args.gamma, args.mean, args.inverseDeviation, dx, dgamma, dbeta));
        gradients.share(args.x, dx);
        gradients.share(args.gamma, dgamma);
        gradients.share(args.beta, dbeta);
    }

    /** Per element: the sum; difference, square and sum; difference, multiply-add. */
    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(7.0 * args.x.elements(), args);
    }

    /** See {@link Moments}; the running statistics pass the errors of the batch's on, and round three times. */
    @Override
    public Bound bound(Args args, double u) {
        int channels = args.channels();
        long count = args.count();
        Moments[] moments = new Moments[channels];
        for (int c = 0; c < channels; c++) {
            moments[c] = Moments.of(args.x, c, count, channels);
        }
        double momentum = args.momentum;
        return (output, index, reference) -> {
            int c = (int) (index % channels);
            Moments m = moments[c];
            double unbiased = count / (count - 1.0);
            return Bounds.UNDERFLOW
                    + switch (output) {
                        case 0 ->
                            m.normalizedError(
                                    args.x.get(index), args.gamma.get(c), args.beta.get(c), count, args.epsilon, u);
                        case 1 -> m.meanError(count, u);
                        case 2 -> m.inverseError(count, args.epsilon, u);
                        case 3 ->
                            momentum * m.meanError(count, u)
                                    + 4 * u * mix(Math.abs(args.runningMean.get(c)), Math.abs(m.mean()), momentum);
                        default ->
                            momentum * unbiased * m.varianceError(count, u)
                                    + 4
                                            * u
                                            * mix(
                                                    Math.abs(args.runningVariance.get(c)),
                                                    unbiased * m.variance(),
                                                    momentum);
                    };
        };
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        for (Shape shape : NormArguments.SHAPES) {
            // few values may lie close together: a larger epsilon keeps the differences of the gradient check accurate
            boolean few = shape.elements() < 8 * shape.size(-1);
            cases.add(of(shape, -1, 1, few ? 0.1 : EPSILON, MOMENTUM));
        }
        // a mean of many deviations, no deviation at all, a large epsilon, momenta at their ends
        cases.add(of(Shape.of(300, 17), 1000, 1001, EPSILON, MOMENTUM));
        cases.add(of(Shape.of(300, 64), 3, 3, EPSILON, MOMENTUM));
        cases.add(of(Shape.of(37, 10), -100, 100, 0.5, 0));
        cases.add(of(Shape.of(37, 10), -1e-3, 1e-3, EPSILON, 1));
        return cases;
    }

    private static Case<Args> of(Shape shape, double low, double high, double epsilon, double momentum) {
        long channels = shape.size(-1);
        return new Case<>(
                shape + " from " + low + " to " + high + " epsilon=" + epsilon + " momentum=" + momentum,
                t -> new Args(
                        t.input(shape, low, high),
                        t.wide(channels),
                        t.wide(channels),
                        t.wide(channels),
                        t.wide(Shape.of(channels), 0.5, 2),
                        t.output(t.dtype(), shape),
                        t.wideOutput(channels),
                        t.wideOutput(channels),
                        epsilon,
                        momentum));
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "one value per channel",
                        t -> of(Shape.of(1, 5), -1, 1, EPSILON, MOMENTUM)
                                .build()
                                .apply(t),
                        "x is F32[1x5]: statistics need 2 or more values per channel"),
                new Rejection(
                        "epsilon 0",
                        t -> of(Shape.of(4, 5), -1, 1, 0, MOMENTUM).build().apply(t),
                        "epsilon is 0.0, expected more than 0"),
                new Rejection(
                        "momentum",
                        t -> of(Shape.of(4, 5), -1, 1, EPSILON, 1.5).build().apply(t),
                        "momentum is 1.5, expected 0..1"),
                new Rejection(
                        "other channels",
                        t -> of(t, t.input(4, 5), t.input(4), t.input(5), t.input(5)),
                        "gamma is F32[4], expected shape 5"),
                new Rejection(
                        "narrow statistics",
                        t -> of(
                                t,
                                t.output(DType.BF16, Shape.of(4, 5)),
                                t.input(5),
                                t.output(DType.BF16, Shape.of(5)),
                                t.input(5)),
                        "runningMean is BF16[5], expected dtype F32"),
                new Rejection(
                        "one tensor twice",
                        t -> {
                            Tensor running = t.input(5);
                            return of(t, t.input(4, 5), t.input(5), running, running);
                        },
                        "runningVariance overlaps runningMean"));
    }

    private static Args of(CaseTensors t, Tensor x, Tensor gamma, Tensor runningMean, Tensor runningVariance) {
        return new Args(
                x,
                gamma,
                t.input(5),
                runningMean,
                runningVariance,
                t.output(t.dtype(), x.shape()),
                t.output(5),
                t.output(5),
                EPSILON,
                MOMENTUM);
    }
}
