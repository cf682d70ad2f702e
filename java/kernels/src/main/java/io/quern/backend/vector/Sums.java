package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.WorkerPool;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/** Sums of partial results in a fixed order. */
final class Sums {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final int BLOCK = 1 << 12;

    private Sums() {}

    /** to[i] = sum over rows, in order, of the floats at {@code rows + row * stride + 4 i}. */
    static void rows(WorkerPool pool, boolean parallel, long rows, long stride, int count, long to, long elements) {
        int blocks = Math.toIntExact((elements + BLOCK - 1) / BLOCK);
        Blocks.run(pool, parallel && blocks > 1, blocks, block -> {
            long first = (long) block * BLOCK;
            add(rows + 4 * first, stride, count, to + 4 * first, (int) Math.min(BLOCK, elements - first));
        });
    }

    /** The same on the calling thread; {@code to} may be one of the rows. */
    static void add(long rows, long stride, int count, long to, int elements) {
        if (SumCode.takes(count, elements)) {
            SumCode.rows(rows, rows + stride, stride, count - 1, to, elements);
            return;
        }
        plain(rows, stride, count, to, elements);
    }

    /** The same without machine code. */
    static void plain(long rows, long stride, int count, long to, int elements) {
        int i = 0;
        for (; i <= elements - Lanes.FLOATS; i += Lanes.FLOATS) {
            FloatVector sum = FloatVector.fromMemorySegment(Lanes.F, ALL, rows + 4L * i, Lanes.ORDER);
            for (int row = 1; row < count; row++) {
                sum = sum.add(FloatVector.fromMemorySegment(Lanes.F, ALL, rows + row * stride + 4L * i, Lanes.ORDER));
            }
            sum.intoMemorySegment(ALL, to + 4L * i, Lanes.ORDER);
        }
        for (; i < elements; i++) {
            float sum = ALL.get(FLOAT, rows + 4L * i);
            for (int row = 1; row < count; row++) {
                sum += ALL.get(FLOAT, rows + row * stride + 4L * i);
            }
            ALL.set(FLOAT, to + 4L * i, sum);
        }
    }
}
