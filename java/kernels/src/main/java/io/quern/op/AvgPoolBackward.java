package io.quern.op;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** dx[n, h, w, c] = the sum of dy[n, p, q, c] / divisor(p, q) over the windows of {@link AvgPool} that hold (h, w). */
public final class AvgPoolBackward implements Op<AvgPoolBackward.Args> {
    public static final AvgPoolBackward OP = new AvgPoolBackward();

    /**
     * @param dy (N, P, Q, C)
     * @param dx (N, H, W, C)
     */
    public record Args(Tensor dy, Tensor dx, PoolGeometry geometry, boolean countPadding) implements OpArgs {
        public Args {
            Check.supported(dx, OP, "dx");
            Check.shape(dy, geometry.resultShape("AvgPoolBackward", dx, "dx"), "AvgPoolBackward", "dy");
            Check.dtype(dy, dx.dtype(), "AvgPoolBackward", "dy");
            Check.apart(dx, dy, "AvgPoolBackward", "dx", "dy");
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(dy);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(dx);
        }
    }

    private AvgPoolBackward() {}

    @Override
    public void reference(Args args) {
        int h = args.dx.dim(1);
        int w = args.dx.dim(2);
        int p = args.dy.dim(1);
        int q = args.dy.dim(2);
        long c = args.dx.size(3);
        PoolGeometry geometry = args.geometry;
        for (long element = 0; element < args.dx.elements(); element++) {
            int column = (int) (element / c % w);
            int row = (int) (element / c / w % h);
            long n = element / c / w / h;
            double sum = 0;
            for (int i = geometry.firstWindowOfRow(row); i < geometry.endWindowOfRow(row, p); i++) {
                for (int j = geometry.firstWindowOfColumn(column); j < geometry.endWindowOfColumn(column, q); j++) {
                    sum += args.dy.get(((n * p + i) * q + j) * c + element % c)
                            / AvgPool.divisor(geometry, args.countPadding, i, j, h, w);
                }
            }
            args.dx.set(element, sum);
        }
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(2.0 * args.dy.elements() * args.geometry.taps(), args);
    }

    /** The rounded reciprocal of the divisor, the products and their sum. */
    @Override
    public Bound bound(Args args, double u) {
        return Bounds.linear(this, args, args.geometry.overlap() + 2, u);
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases =
                new ArrayList<>(PoolGeometry.cases((t, image, geometry) -> args(t, image, geometry, false)));
        PoolGeometry overlapping = PoolGeometry.of(3, 2).withPadding(1);
        for (int c : new int[] {19, 48}) {
            Shape image = Shape.of(2, 5, 7, c);
            cases.add(new Case<>("padding counted, " + image, t -> args(t, image, overlapping, true)));
        }
        return cases;
    }

    private static Args args(CaseTensors t, Shape image, PoolGeometry geometry, boolean countPadding) {
        Tensor dx = t.output(t.dtype(), image);
        Tensor dy = t.input(geometry.resultShape("AvgPoolBackward", dx, "dx"), -1, 1);
        return new Args(dy, dx, geometry, countPadding);
    }

    @Override
    public List<Rejection> rejections() {
        PoolGeometry halving = PoolGeometry.of(2, 2);
        return List.of(
                new Rejection(
                        "gradient shape",
                        t -> new Args(t.input(1, 2, 3, 3), t.output(1, 4, 4, 3), halving, false),
                        "AvgPoolBackward: dy is F32[1x2x3x3], expected shape 1x2x2x3"),
                new Rejection(
                        "in place",
                        t -> {
                            Tensor dy = t.input(1, 4, 4, 3);
                            return new Args(dy, dy, PoolGeometry.of(1, 1), false);
                        },
                        "dx overlaps dy"));
    }
}
