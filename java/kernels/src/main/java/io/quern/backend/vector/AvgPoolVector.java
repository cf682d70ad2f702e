package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.AvgPool;
import io.quern.op.PoolGeometry;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** Means over windows, vectors along the channels; blocks of result rows. */
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
        int h = args.x().dim(1);
        int w = args.x().dim(2);
        int c = args.x().dim(3);
        int p = args.y().dim(1);
        int q = args.y().dim(2);
        long x = args.x().address();
        long y = args.y().address();
        RowBlocks.run(pool, args.y().size(0) * p, (long) q * c * args.geometry().taps(), (from, to) -> {
            for (long row = from; row < to; row++) {
                resultRow(x + 4L * (row / p * h * w * c), y + 4L * (row * q * c), args, (int) (row % p), h, w, c, q);
            }
        });
    }

    private static void resultRow(long image, long y, AvgPool.Args args, int p, int h, int w, int c, int q) {
        PoolGeometry geometry = args.geometry();
        int firstRow = geometry.firstRow(p);
        int rows = geometry.endRow(p, h) - firstRow;
        for (int j = 0; j < q; j++) {
            int firstColumn = geometry.firstColumn(j);
            int columns = geometry.endColumn(j, w) - firstColumn;
            int divisor = AvgPool.divisor(geometry, args.countPadding(), p, j, h, w);
            long window = image + 4L * (((long) firstRow * w + firstColumn) * c);
            long result = y + 4L * ((long) j * c);
            int channel = 0;
            for (; channel <= c - Lanes.FLOATS; channel += Lanes.FLOATS) {
                window(window + 4L * channel, result + 4L * channel, rows, columns, 4L * w * c, 4L * c, divisor);
            }
            if (channel < c) {
                VectorMask<Float> mask = Lanes.F.indexInRange(channel, c);
                part(window + 4L * channel, result + 4L * channel, rows, columns, 4L * w * c, 4L * c, divisor, mask);
            }
        }
    }

    private static void window(
            long window, long y, int rows, int columns, long rowBytes, long pixelBytes, int divisor) {
        FloatVector sum = FloatVector.zero(Lanes.F);
        for (int r = 0; r < rows; r++) {
            long at = window + r * rowBytes;
            for (int s = 0; s < columns; s++) {
                sum = sum.add(FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER));
                at += pixelBytes;
            }
        }
        sum.div(divisor).intoMemorySegment(ALL, y, Lanes.ORDER);
    }

    private static void part(
            long window,
            long y,
            int rows,
            int columns,
            long rowBytes,
            long pixelBytes,
            int divisor,
            VectorMask<Float> mask) {
        FloatVector sum = FloatVector.zero(Lanes.F);
        for (int r = 0; r < rows; r++) {
            long at = window + r * rowBytes;
            for (int s = 0; s < columns; s++) {
                sum = sum.add(FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER, mask));
                at += pixelBytes;
            }
        }
        sum.div(divisor).intoMemorySegment(ALL, y, Lanes.ORDER, mask);
    }
}
