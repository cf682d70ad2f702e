package io.quern.op;

import static io.quern.op.NormArguments.named;

import io.quern.op.NormArguments.Named;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The gradient of {@link BatchNorm}. With h = (x - mean) inverseDeviation and N values per channel, sums over the batch:
 *
 * <pre>
 * dbeta = sum dy      dgamma = sum dy h      dx = gamma inverseDeviation (dy - dbeta / N - h dgamma / N)
 * </pre>
 *
 * <p>x, dy and dx are of one dtype; all else is F32 if that is BF16.
 */
public final class BatchNormBackward implements Op<BatchNormBackward.Args> {
    public static final BatchNormBackward OP = new BatchNormBackward();

    private static final String NAME = "BatchNormBackward";

    /**
     * @param x (..., C), the forward op's input
     * @param dy x's shape
     * @param gamma (C)
     * @param mean (C), saved by the forward op
     * @param inverseDeviation (C), saved by the forward op
     * @param dx x's shape; may be dy; null if not wanted
     * @param dgamma (C)
     * @param dbeta (C)
     */
    public record Args(
            Tensor x,
            Tensor dy,
            Tensor gamma,
            Tensor mean,
            Tensor inverseDeviation,
            Tensor dx,
            Tensor dgamma,
            Tensor dbeta)
            implements OpArgs {
        public Args {
            NormArguments.checkInput(OP, "x", x);
            Named namedDgamma = named("dgamma", dgamma);
            Named namedDbeta = named("dbeta", dbeta);
            Named[] vectors = {named("gamma", gamma), named("mean", mean), named("inverseDeviation", inverseDeviation)};
            Shape channels = Shape.of(x.size(-1));
            NormArguments.checkSums(NAME, channels, x, vectors);
            NormArguments.checkSums(NAME, channels, x, namedDgamma, namedDbeta);
            NormArguments.checkLike(NAME, x, named("dy", dy));
            if (dx != null) {
                NormArguments.checkLike(NAME, x, named("dx", dx));
                Check.inPlaceOrApart(dx, dy, NAME, "dx", "dy");
            }
            NormArguments.checkApart(
                    NAME,
                    List.of(named("dx", dx), namedDgamma, namedDbeta),
                    List.of(named("x", x), vectors[0], vectors[1], vectors[2]));
            Check.apart(dgamma, dy, NAME, "dgamma", "dy");
            Check.apart(dbeta, dy, NAME, "dbeta", "dy");
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
            return List.of(x, dy, gamma, mean, inverseDeviation);
        }

        @Override
        public List<Tensor> outputs() {
            return dx == null ? List.of(dgamma, dbeta) : List.of(dx, dgamma, dbeta);
        }
    }

    private BatchNormBackward() {}

    @Override
    public void reference(Args args) {
        int channels = args.channels();
        double count = args.count();
        for (int c = 0; c < channels; c++) {
            double mean = args.mean.get(c);
            double inverse = args.inverseDeviation.get(c);
            double dgamma = 0;
            double dbeta = 0;
            for (long i = c; i < args.x.elements(); i += channels) {
                double dy = args.dy.get(i);
                dgamma += dy * (args.x.get(i) - mean);
                dbeta += dy;
            }
            dgamma *= inverse;
            for (long i = c; args.dx != null && i < args.x.elements(); i += channels) {
                double h = (args.x.get(i) - mean) * inverse;
                args.dx.set(i, args.gamma.get(c) * inverse * (args.dy.get(i) - dbeta / count - h * dgamma / count));
            }
            args.dgamma.set(c, dgamma);
            args.dbeta.set(c, dbeta);
        }
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll((args.dx == null ? 4.0 : 8.0) * args.x.elements(), args);
    }

    /** gamma_n of the sums of |dy| and |dy h|, and a few roundings of each term of dx. */
    @Override
    public Bound bound(Args args, double u) {
        int channels = args.channels();
        double count = args.count();
        double terms = Moments.terms(args.count()) + 8;
        double[] dy = new double[channels];
        double[] dyh = new double[channels];
        for (long i = 0; i < args.x.elements(); i++) {
            int c = (int) (i % channels);
            double absolute = Math.abs(args.dy.get(i));
            dy[c] += absolute;
            dyh[c] += absolute * Math.abs(h(args, i, c));
        }
        int first = args.dx == null ? 1 : 0;
        return (output, index, reference) -> {
            int c = (int) (index % channels);
            double error = switch (output + first) {
                case 0 ->
                    Math.abs(args.gamma.get(c) * args.inverseDeviation.get(c))
                            * (6 * Math.abs(args.dy.get(index))
                                    + (terms + 6) * (dy[c] + Math.abs(h(args, index, c)) * dyh[c]) / count);
                case 1 -> terms * dyh[c];
                default -> terms * dy[c];
            };
            return u * error + Bounds.UNDERFLOW;
        };
    }

    private static double h(Args args, long i, int c) {
        return (args.x.get(i) - args.mean.get(c)) * args.inverseDeviation.get(c);
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        for (Shape shape : NormArguments.SHAPES) {
            cases.add(of(shape, true));
        }
        cases.add(of(Shape.of(300, 17), false));
        cases.add(of(Shape.of(0, 3), true));
        return cases;
    }

    private static Case<Args> of(Shape shape, boolean wantsDx) {
        long channels = shape.size(-1);
        return new Case<>(
                shape + (wantsDx ? "" : " without dx"),
                t -> new Args(
                        t.input(shape, -1, 1),
                        t.input(shape, -1, 1),
                        t.wide(channels),
                        t.wide(channels),
                        t.wide(Shape.of(channels), 0.5, 2),
                        wantsDx ? t.output(t.dtype(), shape) : null,
                        t.wideOutput(channels),
                        t.wideOutput(channels)));
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "other shape",
                        t -> of(t, t.input(4, 5), t.input(5, 4), t.output(4, 5), t.output(5)),
                        "dy is F32[5x4], expected shape 4x5"),
                new Rejection(
                        "dx is x",
                        t -> {
                            Tensor x = t.input(4, 5);
                            return of(t, x, t.input(4, 5), x, t.output(5));
                        },
                        "dx overlaps x"),
                new Rejection(
                        "dgamma missing",
                        t -> of(t, t.input(4, 5), t.input(4, 5), t.output(4, 5), null),
                        "dgamma is missing"));
    }

    private static Args of(CaseTensors t, Tensor x, Tensor dy, Tensor dx, Tensor dgamma) {
        return new Args(x, dy, t.input(5), t.input(5), t.input(5), dx, dgamma, t.output(5));
    }
}
