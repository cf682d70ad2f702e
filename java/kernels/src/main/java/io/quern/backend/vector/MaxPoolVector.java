package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.MaxPool;
import io.quern.op.PoolGeometry;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** Maxima over windows, vectors along the channels; blocks of result rows. */
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
        PoolGeometry geometry = args.geometry();
        int h = args.x().dim(1);
        int w = args.x().dim(2);
        int c = args.x().dim(3);
        int p = args.y().dim(1);
        int q = args.y().dim(2);
        long x = args.x().address();
        long y = args.y().address();
        RowBlocks.run(pool, args.y().size(0) * p, (long) q * c * geometry.taps(), (from, to) -> {
            for (long row = from; row < to; row++) {
                resultRow(
                        x + 4L * (row / p * h * w * c), y + 4L * (row * q * c), geometry, (int) (row % p), h, w, c, q);
            }
        });
    }

    private static void resultRow(long image, long y, PoolGeometry geometry, int p, int h, int w, int c, int q) {
        int firstRow = geometry.firstRow(p);
        int rows = geometry.endRow(p, h) - firstRow;
        for (int j = 0; j < q; j++) {
            int firstColumn = geometry.firstColumn(j);
            int columns = geometry.endColumn(j, w) - firstColumn;
            long window = image + 4L * (((long) firstRow * w + firstColumn) * c);
            long result = y + 4L * ((long) j * c);
            int channel = 0;
            for (; channel <= c - Lanes.FLOATS; channel += Lanes.FLOATS) {
                window(window + 4L * channel, result + 4L * channel, rows, columns, 4L * w * c, 4L * c);
            }
            if (channel < c) {
                part(window + 4L * channel, result + 4L * channel, rows, columns, 4L * w * c, 4L * c, c - channel);
            }
        }
    }

    private static void window(long window, long y, int rows, int columns, long rowBytes, long pixelBytes) {
        FloatVector best = FloatVector.fromMemorySegment(Lanes.F, ALL, window, Lanes.ORDER);
        for (int r = 0; r < rows; r++) {
            long at = window + r * rowBytes;
            for (int s = 0; s < columns; s++) {
                best = best.max(FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER));
                at += pixelBytes;
            }
        }
        best.intoMemorySegment(ALL, y, Lanes.ORDER);
    }

    private static void part(long window, long y, int rows, int columns, long rowBytes, long pixelBytes, int channels) {
        VectorMask<Float> mask = Lanes.F.indexInRange(0, channels);
        FloatVector best = FloatVector.fromMemorySegment(Lanes.F, ALL, window, Lanes.ORDER, mask);
        for (int r = 0; r < rows; r++) {
            long at = window + r * rowBytes;
            for (int s = 0; s < columns; s++) {
                best = best.max(FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER, mask));
                at += pixelBytes;
            }
        }
        best.intoMemorySegment(ALL, y, Lanes.ORDER, mask);
    }
}
