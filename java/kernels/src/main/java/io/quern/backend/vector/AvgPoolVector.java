package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.AvgPool;
import io.quern.op.PoolGeometry;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;

/**
 * Means over windows, vectors along the channels or, if these are few, along result pixels; blocks of result rows. All
 * paths add up the columns of a window first, so that they give the same bits.
 */
final class AvgPoolVector implements Kernel<AvgPool.Args> {
    private final WorkerPool pool;

    AvgPoolVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(AvgPool.Args args) {
        return Ranges.flat(args.x(), args.y());
    }

    @Override
    public void run(AvgPool.Args args) {
        PoolPlan plan = PoolPlan.of(args.x(), args.y(), args.geometry());
        Rows.run(pool, plan.resultRows(), plan.work(), (from, count) -> {
            for (long row = from; row < from + count; row++) {
                resultRow(plan, args.countPadding(), plan.image(row), plan.resultRow(row), plan.p(row));
            }
        });
    }

    private static void resultRow(PoolPlan plan, boolean countPadding, long image, long y, int p) {
        PoolGeometry geometry = plan.geometry();
        int c = plan.c();
        int w = plan.w();
        int q = plan.q();
        int firstRow = geometry.firstRow(p);
        int rows = geometry.endRow(p, plan.h()) - firstRow;
        long rowBytes = 4L * w * c;
        for (int j = 0; j < q; j++) {
            int firstColumn = geometry.firstColumn(j);
            int columns = geometry.endColumn(j, w) - firstColumn;
            float divisor = AvgPool.divisor(geometry, countPadding, p, j, plan.h(), w);
            long window = image + firstRow * rowBytes + 4L * firstColumn * c;
            long result = y + 4L * j * c;
            int pixels = plan.group(j, window, rows);
            if (pixels > 1) {
                group(
                        window,
                        result,
                        rows,
                        columns,
                        rowBytes,
                        c,
                        divisor,
                        plan.group().picks(),
                        pixels * c);
                j += pixels - 1;
                continue;
            }
            int channel = 0;
            for (; channel <= c - Lanes.FLOATS; channel += Lanes.FLOATS) {
                window(window + 4L * channel, result + 4L * channel, rows, columns, rowBytes, c, divisor);
            }
            if (channel < c) {
                long at = window + 4L * channel;
                part(at, result + 4L * channel, rows, columns, rowBytes, c, divisor, c - channel);
            }
        }
    }

    private static void window(long window, long y, int rows, int columns, long rowBytes, int c, float divisor) {
        FloatVector sum = FloatVector.zero(Lanes.F);
        for (int s = 0; s < columns; s++) {
            long at = window + 4L * s * c;
            FloatVector column = FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER);
            for (int r = 1; r < rows; r++) {
                at += rowBytes;
                column = column.add(FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER));
            }
            sum = sum.add(column);
        }
        sum.div(divisor).intoMemorySegment(ALL, y, Lanes.ORDER);
    }

    private static void part(
            long window, long y, int rows, int columns, long rowBytes, int c, float divisor, int channels) {
        VectorMask<Float> mask = Lanes.F.indexInRange(0, channels);
        FloatVector sum = FloatVector.zero(Lanes.F);
        for (int s = 0; s < columns; s++) {
            long at = window + 4L * s * c;
            FloatVector column = FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER, mask);
            for (int r = 1; r < rows; r++) {
                at += rowBytes;
                column = column.add(FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER, mask));
            }
            sum = sum.add(column);
        }
        sum.div(divisor).intoMemorySegment(ALL, y, Lanes.ORDER, mask);
    }

    private static void group(
            long window, long y, int rows, int columns, long rowBytes, int c, float divisor, int[] picks, int lanes) {
        IntVector pick = IntVector.fromArray(Lanes.I, picks, 0);
        FloatVector sum = FloatVector.zero(Lanes.F);
        for (int s = 0; s < columns; s++) {
            long at = window + 4L * s * c;
            FloatVector low = FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER);
            FloatVector high = FloatVector.fromMemorySegment(Lanes.F, ALL, at + Lanes.BYTES, Lanes.ORDER);
            for (int r = 1; r < rows; r++) {
                at += rowBytes;
                low = low.add(FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER));
                high = high.add(FloatVector.fromMemorySegment(Lanes.F, ALL, at + Lanes.BYTES, Lanes.ORDER));
            }
            sum = sum.add(pick.selectFrom(low.reinterpretAsInts(), high.reinterpretAsInts())
                    .reinterpretAsFloats());
        }
        sum.div(divisor).intoMemorySegment(ALL, y, Lanes.ORDER, Lanes.F.indexInRange(0, lanes));
    }
}
