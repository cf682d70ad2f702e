package io.quern.op;

import static io.quern.op.NormArguments.named;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Batch normalisation after training: y = (x - mean) / sqrt(variance + epsilon) gamma + beta with the running statistics
 * of {@link BatchNorm}. x: (..., C). The statistics are constants: gradients flow to x, gamma and beta. With BF16 x and y, all
 * else is F32.
 */
public final class BatchNormInference implements Op<BatchNormInference.Args> {
    public static final BatchNormInference OP = new BatchNormInference();

    private static final String NAME = "BatchNormInference";

    /**
     * @param x (..., C)
     * @param gamma (C)
     * @param beta (C)
     * @param mean (C)
     * @param variance (C), not negative
     * @param y x's shape; may be x
     * @param epsilon greater than 0
     */
    public record Args(Tensor x, Tensor gamma, Tensor beta, Tensor mean, Tensor variance, Tensor y, double epsilon)
            implements OpArgs {
        public Args {
            NormArguments.checkInput(OP, "x", x);
            NormArguments.checkEpsilon(NAME, epsilon);
            NormArguments.Named[] vectors = {
                named("gamma", gamma), named("beta", beta), named("mean", mean), named("variance", variance)
            };
            NormArguments.checkSums(NAME, Shape.of(x.size(-1)), x, vectors);
            NormArguments.checkLike(NAME, x, named("y", y));
            Check.inPlaceOrApart(y, x, NAME, "y", "x");
            NormArguments.checkApart(NAME, List.of(named("y", y)), List.of(vectors));
        }

        public int channels() {
            return x.dim(-1);
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(x, gamma, beta, mean, variance);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(y);
        }
    }

    private BatchNormInference() {}

    /** x normalised by the running statistics, recorded on the tape. */
    public static Tensor apply(
            Tape tape, Tensor x, Tensor gamma, Tensor beta, Tensor mean, Tensor variance, double epsilon) {
        Tensor y = tape.allocate(x.dtype(), x.shape());
        tape.run(OP, new Args(x, gamma, beta, mean, variance, y, epsilon));
        return y;
    }

    @Override
    public void reference(Args args) {
        int channels = args.channels();
        for (long i = 0; i < args.x.elements(); i++) {
            int c = (int) (i % channels);
            double inverse = 1 / Math.sqrt(args.variance.get(c) + args.epsilon);
            args.y.set(i, (args.x.get(i) - args.mean.get(c)) * inverse * args.gamma.get(c) + args.beta.get(c));
        }
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
        boolean parameters = gradients.wants(args.gamma) || gradients.wants(args.beta);
        Tensor dgamma = parameters ? gradients.place(args.gamma) : null;
        Tensor dbeta = parameters ? gradients.place(args.beta) : null;
        if (dx == null && !parameters) {
            return;
        }
        gradients.run(
                BatchNormInferenceBackward.OP,
                new BatchNormInferenceBackward.Args(
                        args.x,
                        gradients.of(args.y),
                        args.gamma,
                        args.mean,
                        args.variance,
                        dx,
                        dgamma,
                        dbeta,
                        args.epsilon));
        gradients.share(args.x, dx);
        gradients.share(args.gamma, dgamma);
        gradients.share(args.beta, dbeta);
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(3.0 * args.x.elements(), args);
    }

    /** The statistics are given, so only the roundings of 1 / sqrt, difference, products and sum count. */
    @Override
    public Bound bound(Args args, double u) {
        int channels = args.channels();
        return (output, index, reference) -> {
            int c = (int) (index % channels);
            double beta = args.beta.get(c);
            // |x - mean| / sqrt(variance + epsilon) |gamma|
            double product = Math.abs(args.x.get(index) - args.mean.get(c))
                    / Math.sqrt(args.variance.get(c) + args.epsilon)
                    * Math.abs(args.gamma.get(c));
            return u * (8 * product + 2 * Math.abs(beta)) + Bounds.UNDERFLOW;
        };
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        for (Shape shape : NormArguments.SHAPES) {
            cases.add(of(shape, BatchNorm.EPSILON));
        }
        cases.add(of(Shape.of(1, 23), 1e-3));
        cases.add(of(Shape.of(0, 23), 1e-3));
        return cases;
    }

    private static Case<Args> of(Shape shape, double epsilon) {
        long channels = shape.size(-1);
        return new Case<>(
                shape + " epsilon=" + epsilon,
                t -> new Args(
                        t.input(shape, -1, 1),
                        t.wide(channels),
                        t.wide(channels),
                        t.wide(channels),
                        t.wide(Shape.of(channels), 0.5, 2),
                        t.output(t.dtype(), shape),
                        epsilon));
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "epsilon 0",
                        t -> of(Shape.of(4, 5), 0).build().apply(t),
                        "epsilon is 0.0, expected more than 0"),
                new Rejection(
                        "other channels",
                        t -> new Args(
                                t.input(4, 5), t.input(5), t.input(5), t.input(4), t.input(5), t.output(4, 5), 1e-5),
                        "mean is F32[4], expected shape 5"),
                new Rejection(
                        "y is gamma",
                        t -> {
                            Tensor gamma = t.input(5);
                            return new Args(t.input(5), gamma, t.input(5), t.input(5), t.input(5), gamma, 1e-5);
                        },
                        "y overlaps gamma"));
    }
}
