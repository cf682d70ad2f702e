package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.MaxPool;
import io.quern.op.PoolGeometry;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;

/** Maxima over windows, vectors along the channels or, if these are few, along result pixels; blocks of result rows. */
final class MaxPoolVector implements Kernel<MaxPool.Args> {
    private final WorkerPool pool;

    MaxPoolVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(MaxPool.Args args) {
        return Ranges.flat(args.x(), args.y());
    }

    @Override
    public void run(MaxPool.Args args) {
        PoolPlan plan = PoolPlan.of(args.x(), args.y(), args.geometry());
        Rows.run(pool, plan.resultRows(), plan.work(), (from, count) -> {
            for (long row = from; row < from + count; row++) {
                resultRow(plan, plan.image(row), plan.resultRow(row), plan.p(row));
            }
        });
    }

    private static void resultRow(PoolPlan plan, long image, long y, int p) {
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
            long window = image + firstRow * rowBytes + 4L * firstColumn * c;
            long result = y + 4L * j * c;
            int pixels = plan.group(j, window, rows);
            if (pixels > 1) {
                group(window, result, rows, columns, rowBytes, c, plan.group().picks(), pixels * c);
                j += pixels - 1;
                continue;
            }
            int channel = 0;
            for (; channel <= c - Lanes.FLOATS; channel += Lanes.FLOATS) {
                window(window + 4L * channel, result + 4L * channel, rows, columns, rowBytes, c);
            }
            if (channel < c) {
                part(window + 4L * channel, result + 4L * channel, rows, columns, rowBytes, c, c - channel);
            }
        }
    }

    private static void window(long window, long y, int rows, int columns, long rowBytes, int c) {
        FloatVector best = FloatVector.broadcast(Lanes.F, Float.NEGATIVE_INFINITY);
        for (int s = 0; s < columns; s++) {
            long at = window + 4L * s * c;
            FloatVector column = FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER);
            for (int r = 1; r < rows; r++) {
                at += rowBytes;
                column = column.max(FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER));
            }
            best = best.max(column);
        }
        best.intoMemorySegment(ALL, y, Lanes.ORDER);
    }

    private static void part(long window, long y, int rows, int columns, long rowBytes, int c, int channels) {
        VectorMask<Float> mask = Lanes.F.indexInRange(0, channels);
        FloatVector best = FloatVector.broadcast(Lanes.F, Float.NEGATIVE_INFINITY);
        for (int s = 0; s < columns; s++) {
            long at = window + 4L * s * c;
            FloatVector column = FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER, mask);
            for (int r = 1; r < rows; r++) {
                at += rowBytes;
                column = column.max(FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER, mask));
            }
            best = best.max(column);
        }
        best.intoMemorySegment(ALL, y, Lanes.ORDER, mask);
    }

    private static void group(
            long window, long y, int rows, int columns, long rowBytes, int c, int[] picks, int lanes) {
        IntVector pick = IntVector.fromArray(Lanes.I, picks, 0);
        FloatVector best = FloatVector.broadcast(Lanes.F, Float.NEGATIVE_INFINITY);
        for (int s = 0; s < columns; s++) {
            long at = window + 4L * s * c;
            FloatVector low = FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER);
            FloatVector high = FloatVector.fromMemorySegment(Lanes.F, ALL, at + Lanes.BYTES, Lanes.ORDER);
            for (int r = 1; r < rows; r++) {
                at += rowBytes;
                low = low.max(FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER));
                high = high.max(FloatVector.fromMemorySegment(Lanes.F, ALL, at + Lanes.BYTES, Lanes.ORDER));
            }
            best = best.max(pick.selectFrom(low.reinterpretAsInts(), high.reinterpretAsInts())
                    .reinterpretAsFloats());
        }
        best.intoMemorySegment(ALL, y, Lanes.ORDER, Lanes.F.indexInRange(0, lanes));
    }
}
