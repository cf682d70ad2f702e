package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.backend.layout.StridedAxes;
import io.quern.op.Transpose;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;

/**
 * Moves elements of 4 bytes from any strides to row-major order.
 *
 * <p>If x has an axis of stride 1 that is not the last of y, that axis and y's last are transposed in tiles of 8 x 8;
 * else y is written row by row.
 */
final class TransposeVector implements Kernel<Transpose.Args> {
    /** Elements of the axis of stride 1 that are read together: one cache line. */
    private static final int BAND = 16;

    /** Result rows shorter than this are taken in larger bands, but for those that {@link Tiles#stream} takes. */
    private static final int SHORT = 192;

    private static final int LARGE_BAND = 256;

    /** Elements of a row that are moved by one worker. */
    private static final int CHUNK = 4096;

    private final WorkerPool pool;

    TransposeVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(Transpose.Args args) {
        return args.y().dtype().bytes() == 4 && args.y().isContiguous();
    }

    @Override
    public void run(Transpose.Args args) {
        if (args.y().elements() == 0) {
            return;
        }
        StridedAxes axes = StridedAxes.of(args.view());
        long x = args.x().address();
        long y = args.y().address();
        int last = axes.rank() - 1;
        int unit = axes.unitAxis();
        if (unit < 0 || unit == last) {
            rows(axes.without(last), x, y, axes.extent(last), 4 * axes.stride(last));
        } else {
            planes(axes, unit, x, y);
        }
    }

    /** Copies the rows of y in chunks. */
    private void rows(StridedAxes outer, long x, long y, long length, long step) {
        long chunks = Math.ceilDiv(length, CHUNK);
        Rows.run(pool, outer.elements() * chunks, (int) Math.min(length, CHUNK), (from, count) -> {
            StridedAxes.Walk row = outer.walk(from / chunks);
            long chunk = from % chunks;
            for (long i = from; i < from + count; i++) {
                long done = chunk * CHUNK;
                int elements = (int) Math.min(CHUNK, length - done);
                long target = y + 4 * (i / chunks * length + done);
                if (step == 4) {
                    run(x + 4 * row.offset() + 4 * done, target, elements);
                } else {
                    gather(x + 4 * row.offset() + step * done, target, elements, step);
                }
                if (++chunk == chunks) {
                    chunk = 0;
                    row.next();
                }
            }
        });
    }

    private static void run(long x, long y, int count) {
        int i = 0;
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            IntVector.fromMemorySegment(Lanes.I, ALL, x + 4L * i, Lanes.ORDER)
                    .intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER);
        }
        if (i < count) {
            VectorMask<Integer> mask = Lanes.I.indexInRange(i, count);
            IntVector.fromMemorySegment(Lanes.I, ALL, x + 4L * i, Lanes.ORDER, mask)
                    .intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER, mask);
        }
    }

    private static void gather(long x, long y, int count, long step) {
        for (int i = 0; i < count; i++) {
            move(x + i * step, y + 4L * i);
        }
    }

    private static void move(long x, long y) {
        ALL.set(ValueLayout.JAVA_INT_UNALIGNED, y, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, x));
    }

    /**
     * Elements of the unit axis of a large band: bands of one length, but for whole cache lines, and where {@code planes}
     * of {@code extent} by {@code width} are fewer than the threads they are worth, a band for each of these.
     */
    static int band(long extent, long width, long planes, int threads) {
        long busy = Math.min(threads, Math.ceilDiv(planes * extent * width, Ranges.BLOCK));
        long bands = Math.max(Math.ceilDiv(extent, LARGE_BAND), Math.ceilDiv(busy, planes));
        return BAND * (int) Math.ceilDiv(Math.ceilDiv(extent, bands), BAND);
    }

    /** Planes of the unit axis, along which x is contiguous, and the last axis, along which y is. */
    private void planes(StridedAxes axes, int unit, long x, long y) {
        int last = axes.rank() - 1;
        long extent = axes.extent(unit);
        long width = axes.extent(last);
        long step = 4 * axes.stride(last);
        long line = 4 * axes.rowMajor().stride(unit);
        StridedAxes sources = axes.without(last).without(unit);
        StridedAxes targets = axes.rowMajor().without(last).without(unit);
        boolean far = Prefetch.works()
                && axes.elements() * 2 * Float.BYTES >= Copies.CACHED
                && width >= Tiles.AHEAD
                && extent >= Tiles.EDGE;
        int band = width < SHORT && !far ? band(extent, width, sources.elements(), pool.threads()) : BAND;
        long bands = Math.ceilDiv(extent, band);
        long chunks = Math.ceilDiv(width, CHUNK);
        long tiles = bands * chunks;
        Rows.run(pool, sources.elements() * tiles, band * (int) Math.min(width, CHUNK), (start, count) -> {
            StridedAxes.Walk source = sources.walk(start / tiles);
            StridedAxes.Walk target = targets.walk(start / tiles);
            long tile = start % tiles;
            for (long i = start; i < start + count; i++) {
                long first = tile / chunks * band;
                long done = tile % chunks * CHUNK;
                long from = x + 4 * (source.offset() + first) + done * step;
                long to = y + 4 * (target.offset() + done) + first * line;
                int rows = (int) Math.min(band, extent - first);
                int columns = (int) Math.min(CHUNK, width - done);
                if (far) {
                    Tiles.stream(from, to, rows, columns, step, line);
                } else {
                    Tiles.transpose(from, to, rows, columns, step, line);
                }
                if (++tile == tiles) {
                    tile = 0;
                    source.next();
                    target.next();
                }
            }
        });
    }
}
