package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.AvgPool;
import io.quern.op.AvgPoolBackward;
import io.quern.op.PoolGeometry;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** Gathers for each image pixel its shares of the windows that hold it, vectors along the channels. */
final class AvgPoolBackwardVector implements Kernel<AvgPoolBackward.Args> {
    private final WorkerPool pool;

    AvgPoolBackwardVector(WorkerPool pool) {
        this.pool = pool;
    }

    /** What all image rows of a call have in common; first and end are those of the windows of each image column. */
    private record Plan(AvgPoolBackward.Args args, int h, int w, int c, int p, int q, int[] first, int[] end) {
        /** True when windows of one row touch, but do not share pixels. */
        boolean apart() {
            return args.geometry().windowW() == args.geometry().strideW()
                    || q == 1 && args.geometry().paddingW() == 0;
        }

        static Plan of(AvgPoolBackward.Args args) {
            int w = args.dx().dim(2);
            int q = args.dy().dim(2);
            int[] first = new int[w];
            int[] end = new int[w];
            for (int column = 0; column < w; column++) {
                first[column] = args.geometry().firstWindowOfColumn(column);
                end[column] = args.geometry().endWindowOfColumn(column, q);
            }
            return new Plan(
                    args, args.dx().dim(1), w, args.dx().dim(3), args.dy().dim(1), q, first, end);
        }
    }

    /** The share of one window, to each of its pixels. */
    private static void spread(long dy, long dx, int pixels, int c, float share) {
        int i = 0;
        for (; i <= c - Lanes.FLOATS; i += Lanes.FLOATS) {
            FloatVector gradient = FloatVector.fromMemorySegment(Lanes.F, ALL, dy + 4L * i, Lanes.ORDER)
                    .mul(share);
            long at = dx + 4L * i;
            for (int s = 0; s < pixels; s++) {
                gradient.intoMemorySegment(ALL, at & Lanes.ADDRESS, Lanes.ORDER);
                at += 4L * c;
            }
        }
        if (i < c) {
            VectorMask<Float> mask = Lanes.F.indexInRange(0, c - i);
            FloatVector gradient = FloatVector.fromMemorySegment(Lanes.F, ALL, dy + 4L * i, Lanes.ORDER, mask)
                    .mul(share);
            long at = dx + 4L * i;
            for (int s = 0; s < pixels; s++) {
                gradient.intoMemorySegment(ALL, at & Lanes.ADDRESS, Lanes.ORDER, mask);
                at += 4L * c;
            }
        }
    }

    @Override
    public boolean supports(AvgPoolBackward.Args args) {
        return Ranges.flat(args.dy(), args.dx());
    }

    @Override
    public void run(AvgPoolBackward.Args args) {
        Plan plan = Plan.of(args);
        long imageBytes = 4L * plan.p * plan.q * plan.c;
        long rowBytes = 4L * plan.w * plan.c;
        long dy = args.dy().address();
        long dx = args.dx().address();
        int h = plan.h;
        Rows.run(pool, args.dx().size(0) * h, plan.w * plan.c, (from, count) -> {
            for (long row = from; row < from + count; row++) {
                imageRow(dy + row / h * imageBytes, dx + row * rowBytes, (int) (row % h), plan);
            }
        });
    }

    private static void imageRow(long dy, long dx, int row, Plan plan) {
        PoolGeometry geometry = plan.args.geometry();
        int q = plan.q;
        int c = plan.c;
        int firstP = geometry.firstWindowOfRow(row);
        int rows = Math.max(0, geometry.endWindowOfRow(row, plan.p) - firstP);
        float[] shares = new float[rows * q];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < q; j++) {
                boolean countPadding = plan.args.countPadding();
                shares[i * q + j] = 1f / AvgPool.divisor(geometry, countPadding, firstP + i, j, plan.h, plan.w);
            }
        }
        long firstRow = dy + 4L * firstP * q * c;
        if (rows == 1 && plan.apart()) {
            for (int j = 0; j < q; j++) {
                int left = geometry.firstColumn(j);
                spread(firstRow + 4L * j * c, dx + 4L * left * c, geometry.endColumn(j, plan.w) - left, c, shares[j]);
            }
            // what no window reaches
            int behind = geometry.endColumn(q - 1, plan.w);
            Copies.zero(dx + 4L * behind * c, 4L * (plan.w - behind) * c);
            return;
        }
        int gathered = 0, behind = 0;
        if (rows > 0 && AvgPoolGather.fits(geometry, c)) {
            // the windows that no edge cuts
            int inner = Math.ceilDiv(geometry.paddingW(), 2);
            int pairs = Math.min(q, Math.floorDiv(plan.w + geometry.paddingW() - 3, 2) + 1) - inner - 1;
            if (pairs > 0) {
                gathered = 2 * inner + 1 - geometry.paddingW();
                behind = gathered + 2 * pairs;
                long a = firstRow + 4L * inner * c;
                AvgPoolGather.pairs(
                        dx + 4L * gathered * c,
                        a,
                        shares[inner],
                        rows == 1 ? 0 : a + 4L * q * c,
                        shares[(rows - 1) * q + inner],
                        pairs,
                        c);
            }
        }
        pixels(firstRow, dx, 0, gathered, shares, rows, plan);
        pixels(firstRow, dx, behind, plan.w, shares, rows, plan);
    }

    private static void pixels(long firstRow, long dx, int from, int to, float[] shares, int rows, Plan plan) {
        int q = plan.q;
        int c = plan.c;
        for (int column = from; column < to; column++) {
            int first = plan.first[column];
            int columns = plan.end[column] - first;
            long gradient = firstRow + 4L * first * c;
            long pixel = dx + 4L * column * c;
            int channel = 0;
            for (; channel <= c - Lanes.FLOATS; channel += Lanes.FLOATS) {
                pixel(gradient + 4L * channel, pixel + 4L * channel, shares, first, rows, columns, q, c);
            }
            if (channel < c) {
                part(gradient + 4L * channel, pixel + 4L * channel, shares, first, rows, columns, q, c, c - channel);
            }
        }
    }

    private static void pixel(long dy, long dx, float[] shares, int first, int rows, int columns, int q, int c) {
        FloatVector sum = FloatVector.zero(Lanes.F);
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                FloatVector gradient =
                        FloatVector.fromMemorySegment(Lanes.F, ALL, dy + 4L * c * ((long) i * q + j), Lanes.ORDER);
                sum = sum.add(gradient.mul(shares[i * q + first + j]));
            }
        }
        sum.intoMemorySegment(ALL, dx, Lanes.ORDER);
    }

    private static void part(
            long dy, long dx, float[] shares, int first, int rows, int columns, int q, int c, int channels) {
        VectorMask<Float> mask = Lanes.F.indexInRange(0, channels);
        FloatVector sum = FloatVector.zero(Lanes.F);
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                FloatVector gradient = FloatVector.fromMemorySegment(
                        Lanes.F, ALL, dy + 4L * c * ((long) i * q + j), Lanes.ORDER, mask);
                sum = sum.add(gradient.mul(shares[i * q + first + j]));
            }
        }
        sum.intoMemorySegment(ALL, dx, Lanes.ORDER, mask);
    }
}
