package io.quern.op;

import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * y[n, p, q, c] = the mean of x[n, h, w, c] over window (p, q) of {@link PoolGeometry}.
 *
 * <p>Pixels outside the image add nothing to the sum; whether they count in the divisor is an attribute. The mean over
 * the whole image is {@link Reduce} MEAN over axes 1 .. 2. BF16: summed in F32, rounded once; so is the gradient.
 */
public final class AvgPool implements Op<AvgPool.Args> {
    public static final AvgPool OP = new AvgPool();

    /**
     * @param x (N, H, W, C)
     * @param y (N, P, Q, C)
     * @param countPadding divides by the pixels of the whole window rather than by those in the image
     */
    public record Args(Tensor x, Tensor y, PoolGeometry geometry, boolean countPadding) implements OpArgs {
        public Args {
            Check.supported(x, OP, "x");
            Check.shape(y, geometry.resultShape("AvgPool", x, "x"), "AvgPool", "y");
            Check.dtype(y, x.dtype(), "AvgPool", "y");
            Check.apart(y, x, "AvgPool", "y", "x");
        }

        /** The divisor of the pixels in the image. */
        public Args(Tensor x, Tensor y, PoolGeometry geometry) {
            this(x, y, geometry, false);
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(x);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(y);
        }
    }

    private AvgPool() {}

    /** The means of x: (N, H, W, C) over windows, padding not counted, recorded on the tape. */
    public static Tensor apply(Tape tape, Tensor x, PoolGeometry geometry) {
        Tensor y = tape.allocate(x.dtype(), geometry.resultShape("AvgPool", x, "x"));
        tape.run(OP, new Args(x, y, geometry));
        return y;
    }

    @Override
    public void reference(Args args) {
        int h = args.x.dim(1);
        int w = args.x.dim(2);
        long c = args.x.size(3);
        PoolGeometry geometry = args.geometry;
        long element = 0;
        for (long n = 0; n < args.y.size(0); n++) {
            for (int p = 0; p < args.y.size(1); p++) {
                for (int q = 0; q < args.y.size(2); q++) {
                    for (long channel = 0; channel < c; channel++, element++) {
                        double sum = 0;
                        for (int row = geometry.firstRow(p); row < geometry.endRow(p, h); row++) {
                            for (int col = geometry.firstColumn(q); col < geometry.endColumn(q, w); col++) {
                                sum += args.x.get(((n * h + row) * w + col) * c + channel);
                            }
                        }
                        args.y.set(element, sum / divisor(geometry, args.countPadding, p, q, h, w));
                    }
                }
            }
        }
    }

    /** The pixels by whose number the sum of window (p, q) of an image of h rows and w columns is divided. */
    public static int divisor(PoolGeometry geometry, boolean countPadding, int p, int q, int h, int w) {
        return countPadding
                ? geometry.taps()
                : (geometry.endRow(p, h) - geometry.firstRow(p)) * (geometry.endColumn(q, w) - geometry.firstColumn(q));
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    @Override
    public void backward(Args args, Gradients gradients) {
        gradients.add(
                args.x,
                dx -> gradients.run(
                        AvgPoolBackward.OP,
                        new AvgPoolBackward.Args(gradients.of(args.y), dx, args.geometry, args.countPadding)));
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll((double) args.y.elements() * args.geometry.taps(), args);
    }

    @Override
    public Bound bound(Args args, double u) {
        return Bounds.linear(this, args, args.geometry.taps(), u);
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>(PoolGeometry.cases((t, image, geometry) -> {
            Tensor x = t.input(image, -1, 1);
            return new Args(x, t.output(t.dtype(), geometry.resultShape("AvgPool", x, "x")), geometry);
        }));
        cases.add(new Case<>(
                "padding counted",
                t -> new Args(
                        t.input(2, 5, 7, 19),
                        t.output(2, 3, 4, 19),
                        PoolGeometry.of(3, 2).withPadding(1),
                        true)));
        return cases;
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "result shape",
                        t -> new Args(t.input(1, 4, 4, 3), t.output(1, 2, 3, 3), PoolGeometry.of(2, 2)),
                        "AvgPool: y is F32[1x2x3x3], expected shape 1x2x2x3"),
                new Rejection(
                        "window larger than the image",
                        t -> new Args(t.input(1, 4, 1, 3), t.output(1, 2, 1, 3), PoolGeometry.of(2, 2)),
                        "x is F32[1x4x1x3], too small for a window 2x2 stride 2x2 padding 0x0"),
                new Rejection(
                        "stride 0",
                        t -> new Args(t.input(1, 4, 4, 3), t.output(1, 2, 2, 3), PoolGeometry.of(2, 0)),
                        "strideH is 0, expected 1 or more"));
    }
}
