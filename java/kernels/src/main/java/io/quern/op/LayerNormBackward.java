package io.quern.op;

import static io.quern.op.NormArguments.named;

import io.quern.op.NormArguments.Named;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The gradient of {@link LayerNorm}. With h = (x - mean) inverseDeviation and g = dy gamma, means over the row:
 *
 * <pre>
 * dx = inverseDeviation (g - mean(g) - h mean(g h))      dgamma = sum over rows of dy h      dbeta = sum over rows of dy
 * </pre>
 *
 * <p>x, dy and dx are of one dtype; all else is F32 if that is BF16.
 */
public final class LayerNormBackward implements Op<LayerNormBackward.Args> {
    public static final LayerNormBackward OP = new LayerNormBackward();

    private static final String NAME = "LayerNormBackward";

    /**
     * @param x (..., n), the forward op's input
     * @param dy x's shape
     * @param gamma (n)
     * @param mean x's shape without the last axis, saved by the forward op
     * @param inverseDeviation mean's shape, saved by the forward op
     * @param dx x's shape; may be dy; null if not wanted
     * @param dgamma (n)
     * @param dbeta (n)
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
            Named namedMean = named("mean", mean);
            Named namedInverse = named("inverseDeviation", inverseDeviation);
            Named namedGamma = named("gamma", gamma);
            Named namedDgamma = named("dgamma", dgamma);
            Named namedDbeta = named("dbeta", dbeta);
            NormArguments.checkSums(NAME, Shape.of(x.size(-1)), x, namedGamma, namedDgamma, namedDbeta);
            NormArguments.checkSums(NAME, LayerNorm.rowShape(x.shape()), x, namedMean, namedInverse);
            NormArguments.checkLike(NAME, x, named("dy", dy));
            if (dx != null) {
                NormArguments.checkLike(NAME, x, named("dx", dx));
                Check.inPlaceOrApart(dx, dy, NAME, "dx", "dy");
            }
            NormArguments.checkApart(
                    NAME,
                    List.of(named("dx", dx), namedDgamma, namedDbeta),
                    List.of(named("x", x), namedGamma, namedMean, namedInverse));
            Check.apart(dgamma, dy, NAME, "dgamma", "dy");
            Check.apart(dbeta, dy, NAME, "dbeta", "dy");
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
            return List.of(x, dy, gamma, mean, inverseDeviation);
        }

        @Override
        public List<Tensor> outputs() {
            return dx == null ? List.of(dgamma, dbeta) : List.of(dx, dgamma, dbeta);
        }
    }

    private LayerNormBackward() {}

    @Override
    public void reference(Args args) {
        int n = args.columns();
        double[] dgamma = new double[n];
        double[] dbeta = new double[n];
        for (long r = 0; r < args.rows(); r++) {
            double sum = 0;
            double dot = 0;
            for (int c = 0; c < n; c++) {
                double dy = args.dy.get(r * n + c);
                double h = h(args, r, c);
                sum += dy * args.gamma.get(c);
                dot += dy * args.gamma.get(c) * (args.x.get(r * n + c) - args.mean.get(r));
                dgamma[c] += dy * h;
                dbeta[c] += dy;
            }
            dot *= args.inverseDeviation.get(r);
            for (int c = 0; args.dx != null && c < n; c++) {
                double g = args.dy.get(r * n + c) * args.gamma.get(c);
                args.dx.set(r * n + c, args.inverseDeviation.get(r) * (g - sum / n - h(args, r, c) * dot / n));
            }
        }
        for (int c = 0; c < n; c++) {
            args.dgamma.set(c, dgamma[c]);
            args.dbeta.set(c, dbeta[c]);
        }
    }

    private static double h(Args args, long row, int column) {
        return (args.x.get(row * args.columns() + column) - args.mean.get(row)) * args.inverseDeviation.get(row);
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll((args.dx == null ? 4.0 : 12.0) * args.x.elements(), args);
    }

    /** gamma_n of the sums' terms in absolute value, and a few roundings of each term of dx. */
    @Override
    public Bound bound(Args args, double u) {
        int n = args.columns();
        int rows = Math.toIntExact(args.rows());
        double[] sum = new double[rows];
        double[] dot = new double[rows];
        double[] dgamma = new double[n];
        double[] dbeta = new double[n];
        for (int i = 0; i < rows * n; i++) {
            double dy = Math.abs(args.dy.get(i));
            double h = Math.abs(h(args, i / n, i % n));
            double g = dy * Math.abs(args.gamma.get(i % n));
            sum[i / n] += g;
            dot[i / n] += g * h;
            dgamma[i % n] += dy * h;
            dbeta[i % n] += dy;
        }
        double rowTerms = Moments.terms(n) + 10;
        double columnTerms = Moments.terms(rows) + 8;
        int first = args.dx == null ? 1 : 0;
        return (output, index, reference) -> {
            int i = (int) index;
            double error = switch (output + first) {
                case 0 ->
                    Math.abs(args.inverseDeviation.get(i / n))
                            * (6 * Math.abs(args.dy.get(i) * args.gamma.get(i % n))
                                    + rowTerms * (sum[i / n] + Math.abs(h(args, i / n, i % n)) * dot[i / n]) / n);
                case 1 -> columnTerms * dgamma[i];
                default -> columnTerms * dbeta[i];
            };
            return u * error + Bounds.UNDERFLOW;
        };
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        for (int n : Softmax.ROW_LENGTHS) {
            cases.add(of(Shape.of(1, n), true));
            cases.add(of(Shape.of(7, n), true));
        }
        cases.add(of(Shape.of(3301, 10), true));
        cases.add(of(Shape.of(661, 100), true));
        cases.add(of(Shape.of(37, 1000), true));
        cases.add(of(Shape.of(2, 3, 5, 17), true));
        cases.add(of(Shape.of(300, 17), false));
        cases.add(of(Shape.of(0, 5), true));
        // rows that CUDA threads keep the columns of
        cases.add(of(Shape.of(37, 100), false));
        cases.add(of(Shape.of(0, 64), true));
        cases.add(of(Shape.of(5, 2048), true));
        cases.add(of(Shape.of(9, 132), true));
        cases.add(of(Shape.of(5, 2044), true));
        cases.add(of(Shape.of(5, 2052), true));
        cases.add(of(Shape.of(3, 4096), true));
        cases.add(of(Shape.of(3, 4104), true));
        return cases;
    }

    private static Case<Args> of(Shape shape, boolean wantsDx) {
        long n = shape.size(-1);
        Shape rows = LayerNorm.rowShape(shape);
        return new Case<>(
                shape + (wantsDx ? "" : " without dx"),
                t -> new Args(
                        t.input(shape, -1, 1),
                        t.input(shape, -1, 1),
                        t.wide(n),
                        t.wide(rows, -1, 1),
                        t.wide(rows, 0.5, 2),
                        wantsDx ? t.output(t.dtype(), shape) : null,
                        t.wideOutput(n),
                        t.wideOutput(n)));
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "other shape",
                        t -> of(t, t.input(4, 5), t.input(5, 4), t.output(4, 5)),
                        "dy is F32[5x4], expected shape 4x5"),
                new Rejection(
                        "dx is x",
                        t -> {
                            Tensor x = t.input(4, 5);
                            return of(t, x, t.input(4, 5), x);
                        },
                        "dx overlaps x"),
                new Rejection(
                        "partial overlap",
                        t -> {
                            Tensor memory = t.input(5, 5);
                            return of(t, t.input(4, 5), memory.slice(0, 0, 4), memory.slice(0, 1, 5));
                        },
                        "dx partly overlaps dy"));
    }

    private static Args of(CaseTensors t, Tensor x, Tensor dy, Tensor dx) {
        return new Args(x, dy, t.input(5), t.input(4), t.input(4), dx, t.output(5), t.output(5));
    }
}
