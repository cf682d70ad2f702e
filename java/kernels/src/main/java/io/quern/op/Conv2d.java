package io.quern.op;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * y = f(x * filter + bias), the cross-correlation that deep learning calls convolution, with an activation f.
 *
 * <p>y[n, p, q, k] = f(bias[k] + sum over r, s, c of x[n, p stride - padding + r dilation, ..., c] filter[r, s, c, k]);
 * see {@link Conv2dGeometry} for the extents and for groups. If f needs its input for the gradient,
 * {@code preactivation} receives it.
 *
 * <p>BF16 operands are multiplied exactly and summed in F32; the result is BF16, rounded once, or F32. The backward pass of
 * such a call computes in F32 and rounds what it multiplies, and each gradient, to BF16.
 */
public final class Conv2d implements Op<Conv2d.Args> {
    public static final Conv2d OP = new Conv2d();

    /**
     * @param x (N, H, W, C)
     * @param filter (R, S, C / groups, K), of x's dtype
     * @param bias (K), of y's dtype, or null
     * @param y (N, P, Q, K), of x's dtype, or F32 if that is BF16
     * @param preactivation y's shape and dtype, or null
     * @param precision how exactly F32 operands must be taken
     */
    public record Args(
            Tensor x,
            Tensor filter,
            Tensor bias,
            Tensor y,
            Tensor preactivation,
            Conv2dGeometry geometry,
            ActivationKind activation,
            Precision precision)
            implements OpArgs {
        public Args {
            Objects.requireNonNull(geometry, "geometry");
            Objects.requireNonNull(activation, "activation");
            Objects.requireNonNull(precision, "precision");
            geometry.check(OP, y, x, "x", filter, "filter", y, "y");
            Check.apart(y, x, "Conv2d", "y", "x");
            Check.apart(y, filter, "Conv2d", "y", "filter");
            if (bias != null) {
                Check.shape(bias, Shape.of(filter.size(3)), "Conv2d", "bias");
                Check.dtype(bias, y.dtype(), "Conv2d", "bias");
                Check.apart(y, bias, "Conv2d", "y", "bias");
            }
            if (preactivation != null) {
                Check.shape(preactivation, y.shape(), "Conv2d", "preactivation");
                Check.dtype(preactivation, y.dtype(), "Conv2d", "preactivation");
                Check.apart(preactivation, y, "Conv2d", "preactivation", "y");
                Check.apart(preactivation, x, "Conv2d", "preactivation", "x");
                Check.apart(preactivation, filter, "Conv2d", "preactivation", "filter");
                Check.apart(preactivation, bias, "Conv2d", "preactivation", "bias");
            }
        }

        /** With full precision. */
        public Args(
                Tensor x,
                Tensor filter,
                Tensor bias,
                Tensor y,
                Tensor preactivation,
                Conv2dGeometry geometry,
                ActivationKind activation) {
            this(x, filter, bias, y, preactivation, geometry, activation, Precision.FULL);
        }

        /** y = x * filter. */
        public Args(Tensor x, Tensor filter, Tensor y, Conv2dGeometry geometry) {
            this(x, filter, null, y, null, geometry, ActivationKind.NONE);
        }

        @Override
        public List<Tensor> inputs() {
            return Stream.of(x, filter, bias).filter(Objects::nonNull).toList();
        }

        @Override
        public List<Tensor> outputs() {
            return preactivation == null ? List.of(y) : List.of(y, preactivation);
        }
    }

    private Conv2d() {}

    /** f(x * filter + bias), recorded on the tape. bias: (K) or null. */
    public static Tensor apply(
            Tape tape, Tensor x, Tensor filter, Tensor bias, Conv2dGeometry geometry, ActivationKind activation) {
        Shape shape = geometry.resultShape(x.shape(), filter.shape());
        Tensor y = tape.allocate(x.dtype(), shape);
        boolean saves = !activation.fromOutput() && (tape.tracks(x) || tape.tracks(filter) || tape.tracks(bias));
        Tensor preactivation = saves ? tape.allocate(x.dtype(), shape) : null;
        tape.run(OP, new Args(x, filter, bias, y, preactivation, geometry, activation));
        return y;
    }

    @Override
    public void reference(Args args) {
        double[] sums = Conv2dTaps.sums(args.y);
        double[] x = Conv2dTaps.values(args.x);
        double[] filter = Conv2dTaps.values(args.filter);
        Conv2dTaps.ofResults(
                args.x, args.filter, args.y, args.geometry, (i, w, o) -> sums[o] += (i < 0 ? 0 : x[i]) * filter[w]);
        long k = args.filter.size(3);
        for (int i = 0; i < sums.length; i++) {
            double sum = sums[i] + (args.bias == null ? 0 : args.bias.get(i % k));
            if (args.preactivation != null) {
                args.preactivation.set(i, sum);
            }
            args.y.set(i, args.activation.value(sum));
        }
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    /** dz = dy f'; dx and dfilter by the two backward ops, dbias = sums of dz over all pixels. */
    @Override
    public void backward(Args args, Gradients gradients) {
        ActivationKind kind = args.activation;
        if (!(kind.fromOutput() || args.preactivation != null)) {
            throw Check.failed("Conv2d", "the gradient of " + kind.label() + " needs preactivation");
        }
        Tensor dz = gradients.cast(gradients.of(args.y), args.y.dtype().accumulator());
        if (kind != ActivationKind.NONE) {
            Tensor dy = dz;
            Tensor known = gradients.cast(kind.fromOutput() ? args.y : args.preactivation, dy.dtype());
            dz = gradients.allocate(dy.dtype(), dy.shape());
            gradients.run(ActivationBackward.OP, new ActivationBackward.Args(known, dy, dz, kind));
        }
        Tensor wide = dz;
        Tensor signal = gradients.cast(dz, args.x.dtype());
        gradients.add(
                args.x,
                dx -> gradients.run(
                        Conv2dBackwardData.OP,
                        new Conv2dBackwardData.Args(signal, args.filter, dx, args.geometry, args.precision)));
        gradients.add(
                args.filter,
                dfilter -> gradients.run(
                        Conv2dBackwardWeights.OP,
                        new Conv2dBackwardWeights.Args(args.x, signal, dfilter, args.geometry, args.precision)));
        gradients.add(args.bias, dbias -> {
            Tensor sums = dbias.dtype() == wide.dtype() ? dbias : gradients.allocate(wide.dtype(), dbias.shape());
            gradients.run(Reduce.OP, new Reduce.Args(wide, sums, ReduceKind.SUM, 0, 2));
            if (sums != dbias) {
                gradients.run(Cast.OP, new Cast.Args(sums, dbias));
            }
        });
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(Conv2dGeometry.flops(args.filter, args.y), args);
    }

    /**
     * As for {@link Matmul}: gamma of the number of taps, and activations of slope at most 1.13 with few ulps. Where
     * {@link Winograd} applies, that of its sums on top: relative to the 6x6 pixels of a tile. Rounded operands add their
     * error to each product.
     */
    @Override
    public Bound bound(Args args, double u) {
        Args plain = new Args(args.x, args.filter, args.bias, args.y, null, args.geometry, ActivationKind.NONE);
        double terms = (double) args.filter.size(0) * args.filter.size(1) * args.filter.size(2) + 3;
        Bound sum = Bounds.linear(this, plain, terms + args.precision.rounding(u), u);
        Bound fast = Winograd.forward(args.x, args.filter, args.y, args.geometry, u);
        return (output, index, reference) ->
                1.2 * (sum.at(0, index, 0) + fast.at(0, index, 0)) + 16 * u * Math.abs(reference);
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        for (Conv2dProblem problem : Conv2dProblem.ALL) {
            cases.add(call(problem, false, ActivationKind.NONE));
        }
        Conv2dGeometry same = Conv2dGeometry.UNIT.withPadding(1);
        for (ActivationKind kind : ActivationKind.values()) {
            cases.add(call(new Conv2dProblem(2, 6, 7, 3, 3, 3, 19, same), true, kind));
            cases.add(call(new Conv2dProblem(2, 5, 5, 18, 1, 1, 21, Conv2dGeometry.UNIT), true, kind));
            cases.add(call(new Conv2dProblem(1, 5, 6, 19, 3, 3, 19, same.withGroups(19)), true, kind));
        }
        for (Conv2dProblem problem : Conv2dProblem.WINOGRAD) {
            for (ActivationKind kind : ActivationKind.values()) {
                cases.add(call(problem, true, kind));
            }
        }
        for (Conv2dProblem problem : Conv2dProblem.TENSOR_CORES) {
            cases.add(rounded(problem, ActivationKind.RELU));
            cases.add(wide(problem, ActivationKind.SILU));
        }
        return cases;
    }

    /** Operands that may be rounded. */
    private static Case<Args> rounded(Conv2dProblem problem, ActivationKind kind) {
        return new Case<>(
                problem.label() + " tf32 " + kind.label(),
                t -> new Args(
                        t.input(problem.image()),
                        t.finite(problem.filter()),
                        t.input(problem.k()),
                        t.output(problem.result()),
                        null,
                        problem.geometry(),
                        kind,
                        Precision.TF32));
    }

    /** The result in the type of the sums. */
    private static Case<Args> wide(Conv2dProblem problem, ActivationKind kind) {
        return new Case<>(problem.label() + " wide " + kind.label(), t -> {
            DType sums = t.dtype().accumulator();
            return new Args(
                    t.input(problem.image()),
                    t.finite(problem.filter()),
                    null,
                    t.output(sums, Shape.of(problem.result())),
                    t.output(sums, Shape.of(problem.result())),
                    problem.geometry(),
                    kind);
        });
    }

    private static Case<Args> call(Conv2dProblem problem, boolean bias, ActivationKind kind) {
        return new Case<>(
                problem.label() + (bias ? " bias " : " ") + kind.label(),
                t -> new Args(
                        t.input(problem.image()),
                        t.finite(problem.filter()),
                        bias ? t.input(problem.k()) : null,
                        t.output(problem.result()),
                        kind.fromOutput() ? null : t.output(problem.result()),
                        problem.geometry(),
                        kind));
    }

    @Override
    public List<Rejection> rejections() {
        Conv2dGeometry unit = Conv2dGeometry.UNIT;
        return List.of(
                new Rejection(
                        "rank",
                        t -> new Args(t.input(5, 5, 3), t.input(3, 3, 3, 4), t.output(3, 3, 4), unit),
                        "x is 5x5x3, expected rank 4"),
                new Rejection(
                        "channels",
                        t -> new Args(t.input(1, 5, 5, 3), t.input(3, 3, 2, 4), t.output(1, 3, 3, 4), unit),
                        "expected 3 channels on axis 2"),
                new Rejection(
                        "groups",
                        t -> new Args(
                                t.input(1, 5, 5, 4), t.input(3, 3, 2, 3), t.output(1, 3, 3, 3), unit.withGroups(2)),
                        "2 groups do not divide the channels"),
                new Rejection(
                        "filter larger than the padded image",
                        t -> new Args(
                                t.input(1, 2, 5, 1), t.input(5, 5, 1, 1), t.output(1, 1, 1, 1), unit.withPadding(1)),
                        "is larger than x"),
                new Rejection(
                        "result shape",
                        t -> new Args(t.input(1, 5, 5, 1), t.input(3, 3, 1, 2), t.output(1, 5, 5, 2), unit),
                        "y is F32[1x5x5x2], expected shape 1x3x3x2"),
                new Rejection(
                        "integers",
                        t -> new Args(
                                t.indices(Shape.of(1, 5, 5, 1), 0, 9), t.input(3, 3, 1, 2), t.output(1, 3, 3, 2), unit),
                        "x is I32[1x5x5x1], expected one of [F32, F64, BF16]; convert with Cast"),
                new Rejection(
                        "filter of another dtype",
                        t -> new Args(
                                t.output(DType.BF16, Shape.of(1, 5, 5, 1)),
                                t.input(3, 3, 1, 2),
                                t.output(1, 3, 3, 2),
                                unit),
                        "filter is F32[3x3x1x2], expected dtype BF16"),
                new Rejection(
                        "wider operands than result",
                        t -> new Args(
                                t.input(1, 5, 5, 1),
                                t.input(3, 3, 1, 2),
                                t.output(DType.BF16, Shape.of(1, 3, 3, 2)),
                                unit),
                        "y is BF16[1x3x3x2], expected dtype F32"),
                new Rejection(
                        "bias shape",
                        t -> new Args(
                                t.input(1, 5, 5, 1),
                                t.input(3, 3, 1, 2),
                                t.input(3),
                                t.output(1, 3, 3, 2),
                                null,
                                unit,
                                ActivationKind.NONE),
                        "bias is F32[3], expected shape 2"),
                new Rejection(
                        "y is x",
                        t -> {
                            Tensor x = t.input(1, 5, 5, 1);
                            return new Args(x, t.input(1, 1, 1, 1), x, unit);
                        },
                        "y overlaps x"),
                new Rejection(
                        "no stride",
                        t -> new Args(
                                t.input(1, 5, 5, 1), t.input(1, 1, 1, 1), t.output(1, 5, 5, 1), unit.withStride(0)),
                        "strideH is 0, expected 1 or more"));
    }
}
