package io.quern.op;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.List;

/**
 * y[n, p, q, c] = the largest x[n, h, w, c] of window (p, q) of {@link PoolGeometry}, NaN if any is NaN.
 *
 * <p>Pixels outside the image are ignored. No indices are stored: the gradient finds the largest element again.
 */
public final class MaxPool implements Op<MaxPool.Args> {
    public static final MaxPool OP = new MaxPool();

    /**
     * @param x (N, H, W, C)
     * @param y (N, P, Q, C)
     */
    public record Args(Tensor x, Tensor y, PoolGeometry geometry) implements OpArgs {
        public Args {
            Check.supported(x, OP, "x");
            Check.shape(y, geometry.resultShape("MaxPool", x, "x"), "MaxPool", "y");
            Check.dtype(y, x.dtype(), "MaxPool", "y");
            Check.apart(y, x, "MaxPool", "y", "x");
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

    private MaxPool() {}

    /** The maxima of x: (N, H, W, C) over windows, recorded on the tape. */
    public static Tensor apply(Tape tape, Tensor x, PoolGeometry geometry) {
        Tensor y = tape.allocate(x.dtype(), geometry.resultShape("MaxPool", x, "x"));
        tape.run(OP, new Args(x, y, geometry));
        return y;
    }

    @Override
    public void reference(Args args) {
        for (long i = 0; i < args.y.elements(); i++) {
            args.y.set(i, args.x.get(argmax(args.x, args.y.shape(), i, args.geometry)));
        }
    }

    /**
     * Rank in x of the element that a result element was taken from: the first NaN of its window in row-major order, else
     * the first of the largest.
     */
    static long argmax(Tensor x, Shape result, long resultElement, PoolGeometry geometry) {
        long c = resultElement % result.size(3);
        long rest = resultElement / result.size(3);
        int q = (int) (rest % result.size(2));
        rest /= result.size(2);
        int p = (int) (rest % result.size(1));
        long n = rest / result.size(1);
        int h = x.dim(1);
        int w = x.dim(2);
        long best = -1;
        double largest = Double.NaN;
        for (int row = geometry.firstRow(p); row < geometry.endRow(p, h); row++) {
            for (int column = geometry.firstColumn(q); column < geometry.endColumn(q, w); column++) {
                long element = ((n * h + row) * w + column) * x.size(3) + c;
                double value = x.get(element);
                if (Double.isNaN(value)) {
                    return element;
                }
                if (best < 0 || value > largest) {
                    best = element;
                    largest = value;
                }
            }
        }
        return best;
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
                        MaxPoolBackward.OP, new MaxPoolBackward.Args(args.x, gradients.of(args.y), dx, args.geometry)));
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll((double) args.y.elements() * (args.geometry.taps() - 1), args);
    }

    @Override
    public Bound bound(Args args, double u) {
        return Bounds.exact();
    }

    @Override
    public List<Case<Args>> cases() {
        return PoolGeometry.cases((t, image, geometry) -> {
            Tensor x = t.input(image, -1, 1);
            return new Args(x, t.output(t.dtype(), geometry.resultShape("MaxPool", x, "x")), geometry);
        });
    }

    @Override
    public List<Rejection> rejections() {
        PoolGeometry halving = PoolGeometry.of(2, 2);
        return List.of(
                new Rejection(
                        "result shape",
                        t -> new Args(t.input(1, 4, 4, 3), t.output(1, 2, 3, 3), halving),
                        "MaxPool: y is F32[1x2x3x3], expected shape 1x2x2x3"),
                new Rejection("rank", t -> new Args(t.input(4, 4, 3), t.output(2, 2, 3), halving), "expected rank 4"),
                new Rejection(
                        "window larger than the image",
                        t -> new Args(t.input(1, 4, 1, 3), t.output(1, 2, 1, 3), halving),
                        "x is F32[1x4x1x3], too small for a window 2x2 stride 2x2 padding 0x0"),
                new Rejection(
                        "windows of padding alone",
                        t -> new Args(t.input(1, 4, 4, 3), t.output(1, 4, 4, 3), halving.withPadding(2)),
                        "paddingH is 2, expected 0 or more and less than windowH, which is 2"),
                new Rejection(
                        "in place",
                        t -> {
                            Tensor x = t.input(1, 4, 4, 3);
                            return new Args(x, x, PoolGeometry.of(1, 1));
                        },
                        "y overlaps x"));
    }
}
