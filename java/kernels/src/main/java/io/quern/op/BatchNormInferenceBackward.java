package io.quern.op;

import static io.quern.op.NormArguments.named;

import io.quern.op.NormArguments.Named;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The gradient of {@link BatchNormInference}. With s = 1 / sqrt(variance + epsilon), sums over the batch:
 *
 * <pre>
 * dx = gamma s dy      dgamma = sum dy (x - mean) s      dbeta = sum dy
 * </pre>
 *
 * <p>x, dy and dx are of one dtype; all else is F32 if that is BF16.
 */
public final class BatchNormInferenceBackward implements Op<BatchNormInferenceBackward.Args> {
    public static final BatchNormInferenceBackward OP = new BatchNormInferenceBackward();

    private static final String NAME = "BatchNormInferenceBackward";

    /**
     * @param x (..., C), the forward op's input
     * @param dy x's shape
     * @param gamma (C)
     * @param mean (C)
     * @param variance (C)
     * @param dx x's shape; may be dy; null if not wanted
     * @param dgamma (C), or null together with dbeta
     * @param dbeta (C), or null together with dgamma
     * @param epsilon as in the forward op
     */
    public record Args(
            Tensor x,
            Tensor dy,
            Tensor gamma,
            Tensor mean,
            Tensor variance,
            Tensor dx,
            Tensor dgamma,
            Tensor dbeta,
            double epsilon)
            implements OpArgs {
        public Args {
            NormArguments.checkInput(OP, "x", x);
            NormArguments.checkEpsilon(NAME, epsilon);
            Named[] vectors = {named("gamma", gamma), named("mean", mean), named("variance", variance)};
            Shape channels = Shape.of(x.size(-1));
            NormArguments.checkSums(NAME, channels, x, vectors);
            NormArguments.checkLike(NAME, x, named("dy", dy));
            if (dx != null) {
                NormArguments.checkLike(NAME, x, named("dx", dx));
                Check.inPlaceOrApart(dx, dy, NAME, "dx", "dy");
            }
            if (dgamma != null || dbeta != null) {
                NormArguments.checkSums(NAME, channels, x, named("dgamma", dgamma), named("dbeta", dbeta));
                Check.apart(dgamma, dy, NAME, "dgamma", "dy");
                Check.apart(dbeta, dy, NAME, "dbeta", "dy");
            }
            Check.that(dx != null || dgamma != null, NAME, "dx, dgamma and dbeta are missing; ask for one");
            NormArguments.checkApart(
                    NAME,
                    List.of(named("dx", dx), named("dgamma", dgamma), named("dbeta", dbeta)),
                    List.of(named("x", x), vectors[0], vectors[1], vectors[2]));
        }

        public int channels() {
            return x.dim(-1);
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(x, dy, gamma, mean, variance);
        }

        @Override
        public List<Tensor> outputs() {
            return Stream.of(dx, dgamma, dbeta).filter(Objects::nonNull).toList();
        }
    }

    private BatchNormInferenceBackward() {}

    @Override
    public void reference(Args args) {
        int channels = args.channels();
        for (int c = 0; c < channels; c++) {
            double mean = args.mean.get(c);
            double inverse = inverse(args, c);
            double gamma = args.gamma.get(c);
            double dgamma = 0;
            double dbeta = 0;
            for (long i = c; i < args.x.elements(); i += channels) {
                double dy = args.dy.get(i);
                dgamma += dy * (args.x.get(i) - mean);
                dbeta += dy;
                if (args.dx != null) {
                    args.dx.set(i, gamma * inverse * dy);
                }
            }
            if (args.dgamma != null) {
                args.dgamma.set(c, dgamma * inverse);
                args.dbeta.set(c, dbeta);
            }
        }
    }

    private static double inverse(Args args, int c) {
        return 1 / Math.sqrt(args.variance.get(c) + args.epsilon);
    }

    @Override
    public Cost cost(Args args) {
        double perElement = (args.dx == null ? 0.0 : 1.0) + (args.dgamma == null ? 0.0 : 4.0);
        return Cost.touchingAll(perElement * args.x.elements(), args);
    }

    /** gamma_n of the sums of |dy| and |dy (x - mean) s|, a few roundings of dx. */
    @Override
    public Bound bound(Args args, double u) {
        int channels = args.channels();
        double[] dy = new double[channels];
        double[] dyh = new double[channels];
        for (long i = 0; i < args.x.elements(); i++) {
            int c = (int) (i % channels);
            double absolute = Math.abs(args.dy.get(i));
            dy[c] += absolute;
            dyh[c] += absolute * Math.abs((args.x.get(i) - args.mean.get(c)) * inverse(args, c));
        }
        double terms = Moments.terms(channels == 0 ? 0 : args.x.elements() / channels) + 10;
        int first = args.dx == null ? 1 : 0;
        return (output, index, reference) -> {
            int c = (int) (index % channels);
            return Bounds.UNDERFLOW
                    + switch (output + first) {
                        case 0 -> 8 * u * Math.abs(reference);
                        case 1 -> terms * u * dyh[c];
                        default -> terms * u * dy[c];
                    };
        };
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        for (Shape shape : NormArguments.SHAPES) {
            cases.add(of(shape, true, true));
        }
        cases.add(of(Shape.of(300, 17), false, true));
        cases.add(of(Shape.of(300, 17), true, false));
        cases.add(of(Shape.of(0, 3), true, true));
        return cases;
    }

    private static Case<Args> of(Shape shape, boolean wantsDx, boolean wantsParameters) {
        long channels = shape.size(-1);
        return new Case<>(
                shape + (wantsDx ? "" : " without dx") + (wantsParameters ? "" : " without dgamma"),
                t -> new Args(
                        t.input(shape, -1, 1),
                        t.input(shape, -1, 1),
                        t.wide(channels),
                        t.wide(channels),
                        t.wide(Shape.of(channels), 0.5, 2),
                        wantsDx ? t.output(t.dtype(), shape) : null,
                        wantsParameters ? t.wideOutput(channels) : null,
                        wantsParameters ? t.wideOutput(channels) : null,
                        BatchNorm.EPSILON));
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "nothing wanted",
                        t -> of(t, t.input(4, 5), null, null),
                        "dx, dgamma and dbeta are missing; ask for one"),
                new Rejection("half of it", t -> of(t, t.input(4, 5), null, t.output(5)), "dgamma is missing"),
                new Rejection(
                        "other shape",
                        t -> of(t, t.input(4, 6), t.output(5), t.output(5)),
                        "dy is F32[4x6], expected shape 4x5"));
    }

    private static Args of(CaseTensors t, Tensor dy, Tensor dgamma, Tensor dbeta) {
        return new Args(t.input(4, 5), dy, t.input(5), t.input(5), t.input(5), null, dgamma, dbeta, 1e-5);
    }
}
