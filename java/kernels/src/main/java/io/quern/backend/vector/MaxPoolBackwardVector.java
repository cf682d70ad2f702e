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
 * <p>A block owns some image rows. It visits all windows that reach into them, in row-major order, and adds to its own
 * rows alone: so an element's sum has the same order however the rows are cut.
 */
final class MaxPoolBackwardVector implements Kernel<MaxPoolBackward.Args> {
    /** Elements beyond the caches. */
    private static final long LARGE = 1 << 21;

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
        int work = byRows ? 16 * Ranges.BLOCK : Ranges.BLOCK;
        int height = (int) Math.min(h, (long) stride * Math.ceilDiv(work, Math.max(1, (long) stride * w * c)));
        int bands = Math.ceilDiv(h, height);
        pool.run(Math.toIntExact(args.x().size(0) * bands), block -> {
            long image = 4L * (block / bands) * h * w * c;
            int top = block % bands * height;
            long result = dy + 4L * (block / bands) * p * q * c;
            if (byRows) {
                MaxPoolTaps taps = taps(args, q, c);
                rows(
                        x + image,
                        result,
                        dx + image,
                        args.geometry(),
                        top,
                        Math.min(h, top + height),
                        h,
                        w,
                        p,
                        q,
                        taps,
                        large);
                return;
            }
            band(x + image, result, dx + image, args.geometry(), top, Math.min(h, top + height), h, w, c, p, q);
        });
    }

    private MaxPoolTaps taps(MaxPoolBackward.Args args, int q, int c) {
        long bytes = 4L * q * c;
        long best = scratch.address(2 * bytes + 4L * args.x().dim(2) * c);
        return new MaxPoolTaps(
                best,
                best + bytes,
                best + 2 * bytes,
                c,
                4L * c * (args.geometry().strideW() - 1L));
    }

    /** A band by rows of windows, whose image rows are cleared when the first window reaches them. */
    private static void rows(
            long x,
            long dy,
            long dx,
            PoolGeometry geometry,
            int top,
            int bottom,
            int h,
            int w,
            int p,
            int q,
            MaxPoolTaps taps,
            boolean beyondCaches) {
        int c = taps.c();
        long rowBytes = 4L * w * c;
        int whole = Math.min(q, Math.ceilDiv(geometry.paddingW(), geometry.strideW()));
        int wholeEnd = Math.clamp(
                Math.floorDiv(w + geometry.paddingW() - geometry.windowW(), geometry.strideW()) + 1, whole, q);
        int cleared = top;
        int read = beyondCaches ? 0 : h;
        int end = geometry.endWindowOfRow(bottom - 1, p);
        for (int i = geometry.firstWindowOfRow(top); i < end; i++) {
            int offset = i * geometry.strideH() - geometry.paddingH();
            int firstRow = geometry.firstRow(i);
            int endRow = geometry.endRow(i, h);
            int until = Math.clamp(endRow, cleared, bottom);
            Copies.zero(dx + cleared * rowBytes, (until - cleared) * rowBytes);
            cleared = until;
            // in order first: the windows read a row a few pixels here and there, which no prefetching follows
            for (read = Math.max(read, firstRow); read < endRow; read++) {
                Copies.copy(x + read * rowBytes, taps.spare(), rowBytes);
            }
            long gradient = dy + 4L * i * q * c;
            // windows between the ends of the image together, those that an end cuts off one by one
            int j = 0;
            while (j < q) {
                boolean together = j == whole && wholeEnd > whole;
                int count = together ? wholeEnd - whole : 1;
                int column = geometry.firstColumn(j);
                int width = geometry.endColumn(j, w) - column;
                int left = column - (j * geometry.strideW() - geometry.paddingW());
                int first = j * (c / Lanes.FLOATS);
                int vectors = count * (c / Lanes.FLOATS);
                long at = 4L * column * c;
                int number = (firstRow - offset) * geometry.windowW() + left;
                taps.start(x + firstRow * rowBytes + at, first, vectors, number);
                for (int row = firstRow; row < endRow; row++) {
                    taps.compare(x + row * rowBytes + at, first, vectors, width, number);
                    number += geometry.windowW();
                }
                for (int row = Math.max(top, firstRow); row < until; row++) {
                    number = (row - offset) * geometry.windowW() + left;
                    taps.add(gradient, dx + row * rowBytes + at, first, vectors, width, number);
                }
                j += count;
            }
        }
        Copies.zero(dx + cleared * rowBytes, (bottom - cleared) * rowBytes);
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

    private static void part(
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
