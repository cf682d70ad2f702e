package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Transpose;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;

/**
 * Moves elements of 4 bytes from any strides to row-major order.
 *
 * <p>If x has an axis of stride 1 that is not the last of y, that axis and y's last are transposed in tiles of 4 x 4;
 * else y is written row by row.
 */
final class TransposeVector implements Kernel<Transpose.Args> {
    /** Elements of the axis of stride 1 that are read together: one cache line. */
    private static final int BAND = 16;

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

    /** All axes but the last, each row of which is copied as a run. */
    private void rows(StridedAxes outer, long x, long y, long length, long step) {
        RowBlocks.run(pool, outer.elements(), length, (from, to) -> {
            StridedAxes.Walk walk = outer.walk(from);
            for (long row = from; row < to; row++, walk.next()) {
                long source = x + 4 * walk.offset();
                long target = y + 4 * row * length;
                // int counters: a long one would not become a vector loop
                for (long done = 0; done < length; done += Ranges.BLOCK) {
                    int count = (int) Math.min(Ranges.BLOCK, length - done);
                    if (step == 4) {
                        run(source + 4 * done, target + 4 * done, count);
                    } else {
                        gather(source + step * done, target + 4 * done, count, step);
                    }
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

    /** Planes of the unit axis, along which x is contiguous, and the last axis, along which y is. */
    private void planes(StridedAxes axes, int unit, long x, long y) {
        int last = axes.rank() - 1;
        long extent = axes.extent(unit);
        long width = axes.extent(last);
        long step = 4 * axes.stride(last);
        StridedAxes outer = axes.without(last).without(unit);
        StridedAxes targets = axes.rowMajor().without(last).without(unit);
        long line = 4 * axes.rowMajor().stride(unit);
        long bands = Math.ceilDiv(extent, BAND);
        RowBlocks.run(pool, outer.elements() * bands, BAND * width, (from, to) -> {
            StridedAxes.Walk source = outer.walk(from / bands);
            StridedAxes.Walk target = targets.walk(from / bands);
            long band = from % bands;
            for (long i = from; i < to; i++) {
                long first = band * BAND;
                long at = x + 4 * (source.offset() + first);
                int height = (int) Math.min(BAND, extent - first);
                for (long done = 0; done < width; done += Ranges.BLOCK) {
                    int count = (int) Math.min(Ranges.BLOCK, width - done);
                    long to0 = y + 4 * (target.offset() + done) + first * line;
                    Tiles.transpose(at + done * step, to0, height, count, step, line);
                }
                if (++band == bands) {
                    band = 0;
                    source.next();
                    target.next();
                }
            }
        });
    }
}
