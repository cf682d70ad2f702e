package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.MaxPoolBackward;
import io.quern.op.PoolGeometry;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Sends dy to the largest element of each window, found again from x, vectors along the channels.
 *
 * <p>A block owns some image rows and visits all windows that reach into them. An element adds up its windows in row-major
 * order, so that its sum is the same however the rows are cut.
 */
final class MaxPoolBackwardVector implements Kernel<MaxPoolBackward.Args> {
    /** Elements beyond the caches. */
    private static final long LARGE = 1 << 21;
    /** Rows that a band has at least, but for an image's last one, if that leaves {@link #BANDS}. */
    private static final int LEAST = 16;

    private static final int BANDS = 8;

    private final WorkerPool pool;
    private final Scratch scratch;

    MaxPoolBackwardVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    @Override
    public boolean supports(MaxPoolBackward.Args args) {
        return Ranges.flat(args.x(), args.dy(), args.dx());
    }

    @Override
    public void run(MaxPoolBackward.Args args) {
        if (MaxPoolQuadsCode.takes(args.geometry(), args.x().dim(3))) {
            MaxPoolQuadsCode.gradients(pool, args.x(), args.dy(), args.dx());
            return;
        }
        int h = args.x().dim(1);
        int w = args.x().dim(2);
        int c = args.x().dim(3);
        int p = args.dy().dim(1);
        int q = args.dy().dim(2);
        long x = args.x().address();
        long dy = args.dy().address();
        long dx = args.dx().address();
        // whole strides, so that windows that do not overlap belong to one block each
        int stride = args.geometry().strideH();
        boolean large = args.x().elements() >= LARGE;
        boolean byRows = c > 0 && c % Lanes.FLOATS == 0;
        boolean quads = MaxPoolQuads.fits(args.geometry(), c);
        int work = byRows && !quads ? 16 * Ranges.BLOCK : Ranges.BLOCK;
        long units = Math.ceilDiv(work, Math.max(1, (long) stride * w * c));
        // the first and last rows of a band take longer where they are gathered
        boolean high =
                byRows && MaxPoolGather.fits(args.geometry()) && args.x().size(0) * Math.ceilDiv(h, LEAST) >= BANDS;
        int height = (int) Math.min(h, stride * (high ? Math.max(LEAST / stride, units) : units));
        int bands = Math.ceilDiv(h, height);
        pool.run(Math.toIntExact(args.x().size(0) * bands), block -> {
            long image = 4L * (block / bands) * h * w * c;
            int top = block % bands * height;
            long result = dy + 4L * (block / bands) * p * q * c;
            int bottom = Math.min(h, top + height);
            if (quads) {
                MaxPoolQuads.band(x + image, result, dx + image, top, bottom, w, c, q);
                return;
            }
            if (byRows) {
                new MaxPoolBand(x + image, result, dx + image, args.geometry(), h, w, p, q, c, scratch)
                        .run(top, bottom, large);
                return;
            }
            band(x + image, result, dx + image, args.geometry(), top, bottom, h, w, c, p, q);
        });
    }

    private static void band(
            long x, long dy, long dx, PoolGeometry geometry, int top, int bottom, int h, int w, int c, int p, int q) {
        long rowBytes = 4L * w * c;
        ALL.asSlice(dx + top * rowBytes, (bottom - top) * rowBytes).fill((byte) 0);
        int end = geometry.endWindowOfRow(bottom - 1, p);
        for (int i = geometry.firstWindowOfRow(top); i < end; i++) {
            int firstRow = geometry.firstRow(i);
            int rows = geometry.endRow(i, h) - firstRow;
            int from = Math.max(0, top - firstRow);
            int to = Math.min(rows, bottom - firstRow);
            for (int j = 0; j < q; j++) {
                int firstColumn = geometry.firstColumn(j);
                int columns = geometry.endColumn(j, w) - firstColumn;
                long window = firstRow * rowBytes + 4L * firstColumn * c;
                long gradient = dy + 4L * ((long) i * q + j) * c;
                int channel = 0;
                for (; channel <= c - Lanes.FLOATS; channel += Lanes.FLOATS) {
                    long at = window + 4L * channel;
                    window(x + at, gradient + 4L * channel, dx + at, rows, columns, rowBytes, 4L * c, from, to);
                }
                if (channel < c) {
                    long at = window + 4L * channel;
                    part(x + at, gradient + 4L * channel, dx + at, rows, columns, rowBytes, c, from, to, c - channel);
                }
            }
        }
    }

    /** The taps of a window are numbered by floats, so that their masks fit the values without a conversion. */
    private static void window(
            long x, long dy, long dx, int rows, int columns, long rowBytes, long pixelBytes, int from, int to) {
        FloatVector best = FloatVector.fromMemorySegment(Lanes.F, ALL, x, Lanes.ORDER);
        FloatVector tap = FloatVector.zero(Lanes.F);
        int number = 0;
        for (int r = 0; r < rows; r++) {
            long at = x + r * rowBytes;
            for (int s = 0; s < columns; s++) {
                FloatVector value = FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER);
                VectorMask<Float> keep =
                        best.compare(VectorOperators.GE, value).or(best.compare(VectorOperators.NE, best));
                best = value.blend(best, keep);
                tap = FloatVector.broadcast(Lanes.F, (float) number).blend(tap, keep);
                number++;
                at += pixelBytes;
            }
        }
        FloatVector gradient = FloatVector.fromMemorySegment(Lanes.F, ALL, dy, Lanes.ORDER);
        for (int r = from; r < to; r++) {
            long at = dx + r * rowBytes;
            for (int s = 0; s < columns; s++) {
                FloatVector sum = FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER);
                sum.add(gradient, tap.compare(VectorOperators.EQ, (float) (r * columns + s)))
                        .intoMemorySegment(ALL, at, Lanes.ORDER);
                at += pixelBytes;
            }
        }
    }

    /** As {@link #window}, for less than a vector. */
    static void part(
            long x, long dy, long dx, int rows, int columns, long rowBytes, int c, int from, int to, int channels) {
        VectorMask<Float> mask = Lanes.F.indexInRange(0, channels);
        FloatVector best = FloatVector.fromMemorySegment(Lanes.F, ALL, x, Lanes.ORDER, mask);
        FloatVector tap = FloatVector.zero(Lanes.F);
        int number = 0;
        for (int r = 0; r < rows; r++) {
            long at = x + r * rowBytes;
            for (int s = 0; s < columns; s++) {
                FloatVector value = FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER, mask);
                VectorMask<Float> keep =
                        best.compare(VectorOperators.GE, value).or(best.compare(VectorOperators.NE, best));
                best = value.blend(best, keep);
                tap = FloatVector.broadcast(Lanes.F, (float) number).blend(tap, keep);
                number++;
                at += 4L * c;
            }
        }
        FloatVector gradient = FloatVector.fromMemorySegment(Lanes.F, ALL, dy, Lanes.ORDER, mask);
        for (int r = from; r < to; r++) {
            long at = dx + r * rowBytes;
            for (int s = 0; s < columns; s++) {
                FloatVector sum = FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER, mask);
                sum.add(gradient, tap.compare(VectorOperators.EQ, (float) (r * columns + s)))
                        .intoMemorySegment(ALL, at, Lanes.ORDER, mask);
                at += 4L * c;
            }
        }
    }
}
