package io.quern.op;

import io.quern.tensor.Tensor;
import java.util.List;

/**
 * dx[i] = the sum of dy over the windows of {@link MaxPool} whose maximum was taken from element i, in row-major order.
 * The first of equal elements, or the first NaN, gets the whole gradient. BF16: summed in F32, rounded once.
 */
public final class MaxPoolBackward implements Op<MaxPoolBackward.Args> {
    public static final MaxPoolBackward OP = new MaxPoolBackward();

    /**
     * @param x (N, H, W, C), MaxPool's input
     * @param dy (N, P, Q, C)
     * @param dx (N, H, W, C)
     */
    public record Args(Tensor x, Tensor dy, Tensor dx, PoolGeometry geometry) implements OpArgs {
        public Args {
            Check.supported(x, OP, "x");
            Check.shape(dy, geometry.resultShape("MaxPoolBackward", x, "x"), "MaxPoolBackward", "dy");
            Check.dtype(dy, x.dtype(), "MaxPoolBackward", "dy");
            Check.shape(dx, x.shape(), "MaxPoolBackward", "dx");
            Check.dtype(dx, x.dtype(), "MaxPoolBackward", "dx");
            Check.apart(dx, x, "MaxPoolBackward", "dx", "x");
            Check.apart(dx, dy, "MaxPoolBackward", "dx", "dy");
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(x, dy);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(dx);
        }
    }

    private MaxPoolBackward() {}

    @Override
    public void reference(Args args) {
        double[] sums = sums(args, false);
        for (int i = 0; i < sums.length; i++) {
            args.dx.set(i, sums[i]);
        }
    }

    private static double[] sums(Args args, boolean magnitudes) {
        double[] sums = new double[Math.toIntExact(args.dx.elements())];
        for (long i = 0; i < args.dy.elements(); i++) {
            double dy = args.dy.get(i);
            sums[(int) MaxPool.argmax(args.x, args.dy.shape(), i, args.geometry)] += magnitudes ? Math.abs(dy) : dy;
        }
        return sums;
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll((double) args.dy.elements() * args.geometry.taps(), args);
    }

    /** Sums of as many terms as windows share a pixel; x only says which. */
    @Override
    public Bound bound(Args args, double u) {
        double gamma = Bounds.gamma(args.geometry.overlap(), u);
        double[] magnitudes = sums(args, true);
        return (output, index, reference) -> gamma * magnitudes[(int) index];
    }

    @Override
    public List<Case<Args>> cases() {
        return PoolGeometry.cases((t, image, geometry) -> {
            Tensor x = t.input(image, -1, 1);
            Tensor dy = t.input(geometry.resultShape("MaxPoolBackward", x, "x"), -1, 1);
            return new Args(x, dy, t.output(t.dtype(), image), geometry);
        });
    }

    @Override
    public List<Rejection> rejections() {
        PoolGeometry halving = PoolGeometry.of(2, 2);
        return List.of(
                new Rejection(
                        "gradient shape",
                        t -> new Args(t.input(1, 4, 4, 3), t.input(1, 2, 3, 3), t.output(1, 4, 4, 3), halving),
                        "MaxPoolBackward: dy is F32[1x2x3x3], expected shape 1x2x2x3"),
                new Rejection(
                        "result shape",
                        t -> new Args(t.input(1, 4, 4, 3), t.input(1, 2, 2, 3), t.output(1, 4, 5, 3), halving),
                        "dx is F32[1x4x5x3], expected shape 1x4x4x3"),
                new Rejection(
                        "dx is x",
                        t -> {
                            Tensor x = t.input(1, 4, 4, 3);
                            return new Args(x, t.input(1, 2, 2, 3), x, halving);
                        },
                        "dx overlaps x"));
    }
}
