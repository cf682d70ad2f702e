package io.quern.op;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * dx[n, h, w, c] = sum over all taps of {@link Conv2d} that read x[n, h, w, c] of dy[n, p, q, k] filter[r, s, c, k]: the
 * gradient by the image, and what is called transposed convolution. BF16 and F32 as in {@link Conv2d}.
 */
public final class Conv2dBackwardData implements Op<Conv2dBackwardData.Args> {
    public static final Conv2dBackwardData OP = new Conv2dBackwardData();

    /**
     * @param dy (N, P, Q, K)
     * @param filter (R, S, C / groups, K), of dy's dtype
     * @param dx (N, H, W, C), of dy's dtype, or F32 if that is BF16; pixels that no tap reads become 0
     * @param precision how exactly F32 operands must be taken
     */
    public record Args(Tensor dy, Tensor filter, Tensor dx, Conv2dGeometry geometry, Precision precision)
            implements OpArgs {
        public Args {
            Objects.requireNonNull(geometry, "geometry");
            Objects.requireNonNull(precision, "precision");
            geometry.check(OP, dx, dx, "dx", filter, "filter", dy, "dy");
            Check.apart(dx, dy, "Conv2dBackwardData", "dx", "dy");
            Check.apart(dx, filter, "Conv2dBackwardData", "dx", "filter");
        }

        /** With full precision. */
        public Args(Tensor dy, Tensor filter, Tensor dx, Conv2dGeometry geometry) {
            this(dy, filter, dx, geometry, Precision.FULL);
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(dy, filter);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(dx);
        }
    }

    private Conv2dBackwardData() {}

    @Override
    public void reference(Args args) {
        double[] sums = Conv2dTaps.sums(args.dx);
        double[] dy = Conv2dTaps.values(args.dy);
        double[] filter = Conv2dTaps.values(args.filter);
        Conv2dTaps.ofImages(
                args.dx, args.filter, args.dy, args.geometry, (i, w, o) -> sums[i] += (o < 0 ? 0 : dy[o]) * filter[w]);
        Conv2dTaps.store(sums, args.dx);
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    /** The op is linear in dy, where its adjoint is Conv2d, and in filter, where it is Conv2dBackwardWeights. */
    @Override
    public void backward(Args args, Gradients gradients) {
        Tensor ddx = gradients.cast(gradients.of(args.dx), args.dy.dtype());
        gradients.add(
                args.dy,
                ddy -> gradients.run(
                        Conv2d.OP,
                        new Conv2d.Args(
                                ddx,
                                args.filter,
                                null,
                                ddy,
                                null,
                                args.geometry,
                                ActivationKind.NONE,
                                args.precision)));
        gradients.add(
                args.filter,
                dfilter -> gradients.run(
                        Conv2dBackwardWeights.OP,
                        new Conv2dBackwardWeights.Args(ddx, args.dy, dfilter, args.geometry, args.precision)));
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(Conv2dGeometry.flops(args.filter, args.dy), args);
    }

    /** Gamma of the number of taps; that of {@link Winograd}'s sums and of rounded operands as in {@link Conv2d}. */
    @Override
    public Bound bound(Args args, double u) {
        double terms =
                (double) args.filter.size(0) * args.filter.size(1) * args.filter.size(3) / args.geometry.groups();
        Bound sum = Bounds.linear(this, args, terms + args.precision.rounding(u), u);
        Bound fast = Winograd.backward(args.dy, args.filter, args.dx, args.geometry, u);
        return (output, index, reference) -> sum.at(0, index, reference) + fast.at(0, index, reference);
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        for (Conv2dProblem problem : Conv2dProblem.ALL) {
            cases.add(new Case<>(
                    problem.label(),
                    t -> new Args(
                            t.input(problem.result()),
                            t.finite(problem.filter()),
                            t.output(problem.image()),
                            problem.geometry())));
        }
        for (Conv2dProblem problem : Conv2dProblem.TENSOR_CORES) {
            cases.add(new Case<>(
                    problem.label() + " tf32",
                    t -> new Args(
                            t.input(problem.result()),
                            t.finite(problem.filter()),
                            t.output(problem.image()),
                            problem.geometry(),
                            Precision.TF32)));
            cases.add(new Case<>(
                    problem.label() + " wide",
                    t -> new Args(
                            t.input(problem.result()),
                            t.finite(problem.filter()),
                            t.output(t.dtype().accumulator(), Shape.of(problem.image())),
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
                        t -> new Args(t.input(1, 5, 5, 2), t.input(3, 3, 1, 2), t.output(1, 5, 5, 1), unit),
                        "Conv2dBackwardData: dy is F32[1x5x5x2], expected shape 1x3x3x2"),
                new Rejection(
                        "channels",
                        t -> new Args(t.input(1, 3, 3, 4), t.input(3, 3, 2, 4), t.output(1, 5, 5, 3), unit),
                        "expected 3 channels on axis 2 for dx"),
                new Rejection(
                        "wider operands than result",
                        t -> new Args(
                                t.input(1, 3, 3, 2),
                                t.input(3, 3, 1, 2),
                                t.output(DType.BF16, Shape.of(1, 5, 5, 1)),
                                unit),
                        "dx is BF16[1x5x5x1], expected dtype F32"),
                new Rejection(
                        "dx is dy",
                        t -> {
                            Tensor dy = t.input(1, 5, 5, 1);
                            return new Args(dy, t.input(1, 1, 1, 1), dy, unit);
                        },
                        "dx overlaps dy"));
    }
}
