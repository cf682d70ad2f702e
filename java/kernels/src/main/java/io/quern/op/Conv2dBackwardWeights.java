package io.quern.op;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * dfilter[r, s, c, k] = sum over images and result pixels of x[n, p stride - padding + r dilation, ..., c] dy[n, p, q, k]:
 * the gradient of {@link Conv2d} by the filter. BF16 and F32 as there.
 */
public final class Conv2dBackwardWeights implements Op<Conv2dBackwardWeights.Args> {
    public static final Conv2dBackwardWeights OP = new Conv2dBackwardWeights();

    /**
     * @param x (N, H, W, C)
     * @param dy (N, P, Q, K), of x's dtype
     * @param dfilter (R, S, C / groups, K), of x's dtype, or F32 if that is BF16
     * @param precision how exactly F32 operands must be taken
     */
    public record Args(Tensor x, Tensor dy, Tensor dfilter, Conv2dGeometry geometry, Precision precision)
            implements OpArgs {
        public Args {
            Objects.requireNonNull(geometry, "geometry");
            Objects.requireNonNull(precision, "precision");
            geometry.check(OP, dfilter, x, "x", dfilter, "dfilter", dy, "dy");
            Check.apart(dfilter, x, "Conv2dBackwardWeights", "dfilter", "x");
            Check.apart(dfilter, dy, "Conv2dBackwardWeights", "dfilter", "dy");
        }

        /** With full precision. */
        public Args(Tensor x, Tensor dy, Tensor dfilter, Conv2dGeometry geometry) {
            this(x, dy, dfilter, geometry, Precision.FULL);
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(x, dy);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(dfilter);
        }
    }

    private Conv2dBackwardWeights() {}

    @Override
    public void reference(Args args) {
        double[] sums = Conv2dTaps.sums(args.dfilter);
        double[] x = Conv2dTaps.values(args.x);
        double[] dy = Conv2dTaps.values(args.dy);
        Conv2dTaps.ofResults(
                args.x, args.dfilter, args.dy, args.geometry, (i, w, o) -> sums[w] += (i < 0 ? 0 : x[i]) * dy[o]);
        Conv2dTaps.store(sums, args.dfilter);
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    /** The op is linear in x, where its adjoint is Conv2dBackwardData, and in dy, where it is Conv2d. */
    @Override
    public void backward(Args args, Gradients gradients) {
        Tensor ddfilter = gradients.cast(gradients.of(args.dfilter), args.x.dtype());
        gradients.add(
                args.x,
                dx -> gradients.run(
                        Conv2dBackwardData.OP,
                        new Conv2dBackwardData.Args(args.dy, ddfilter, dx, args.geometry, args.precision)));
        gradients.add(
                args.dy,
                ddy -> gradients.run(
                        Conv2d.OP,
                        new Conv2d.Args(
                                args.x,
                                ddfilter,
                                null,
                                ddy,
                                null,
                                args.geometry,
                                ActivationKind.NONE,
                                args.precision)));
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(Conv2dGeometry.flops(args.dfilter, args.dy), args);
    }

    /** Gamma of the number of pixels; that of {@link Winograd}'s sums and of rounded operands as in {@link Conv2d}. */
    @Override
    public Bound bound(Args args, double u) {
        double terms = (double) args.dy.size(0) * args.dy.size(1) * args.dy.size(2);
        Bound sum = Bounds.linear(this, args, terms + args.precision.rounding(u), u);
        Bound fast = Winograd.weights(args.x, args.dy, args.dfilter, args.geometry, u);
        return (output, index, reference) -> sum.at(0, index, reference) + fast.at(0, index, reference);
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        for (Conv2dProblem problem : Conv2dProblem.ALL) {
            cases.add(new Case<>(
                    problem.label(),
                    t -> new Args(
                            t.input(problem.image()),
                            t.finite(problem.result()),
                            t.output(problem.filter()),
                            problem.geometry())));
        }
        for (Conv2dProblem problem : Conv2dProblem.TENSOR_CORES) {
            cases.add(new Case<>(
                    problem.label() + " tf32",
                    t -> new Args(
                            t.input(problem.image()),
                            t.finite(problem.result()),
                            t.output(problem.filter()),
                            problem.geometry(),
                            Precision.TF32)));
            cases.add(new Case<>(
                    problem.label() + " wide",
                    t -> new Args(
                            t.input(problem.image()),
                            t.finite(problem.result()),
                            t.output(t.dtype().accumulator(), Shape.of(problem.filter())),
                            problem.geometry())));
        }
        return cases;
    }

    @Override
    public List<Rejection> rejections() {
        Conv2dGeometry unit = Conv2dGeometry.UNIT;
        return List.of(
                new Rejection(
                        "result shape",
                        t -> new Args(t.input(1, 5, 5, 1), t.input(1, 5, 5, 2), t.output(3, 3, 1, 2), unit),
                        "Conv2dBackwardWeights: dy is F32[1x5x5x2], expected shape 1x3x3x2"),
                new Rejection(
                        "filter larger than the image",
                        t -> new Args(t.input(1, 2, 5, 1), t.input(1, 1, 3, 2), t.output(3, 3, 1, 2), unit),
                        "is larger than x"),
                new Rejection(
                        "operands of two dtypes",
                        t -> new Args(
                                t.input(1, 5, 5, 1),
                                t.output(DType.BF16, Shape.of(1, 3, 3, 2)),
                                t.output(3, 3, 1, 2),
                                unit),
                        "dy is BF16[1x3x3x2], expected dtype F32"),
                new Rejection(
                        "dfilter is x",
                        t -> {
                            Tensor x = t.input(1, 1, 1, 1);
                            return new Args(x, t.input(1, 1, 1, 1), x, unit);
                        },
                        "dfilter overlaps x"));
    }
}
