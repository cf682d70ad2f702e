package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Embedding;
import io.quern.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/** Copies rows; checks all indices first. */
final class EmbeddingVector implements Kernel<Embedding.Args> {
    /** Longer rows are worth a loop of their own. */
    private static final int NARROW = 256;

    private final WorkerPool pool;

    EmbeddingVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(Embedding.Args args) {
        return Ranges.flat(args.table(), args.y()) && args.indices().isContiguous();
    }

    @Override
    public void run(Embedding.Args args) {
        checkRange("Embedding", args.indices(), args.table().size(0));
        int width = args.table().dim(1);
        long table = args.table().address();
        long indices = args.indices().address();
        long y = args.y().address();
        boolean narrow = width > 0 && width <= NARROW && width % Lanes.FLOATS == 0;
        long bytes = Float.BYTES * args.y().elements(),
                source = Math.min(bytes, Float.BYTES * args.table().elements());
        boolean past = width > NARROW && StreamCode.passesBy(bytes + source, y) && EmbeddingCode.takes(4L * width);
        Rows.run(pool, args.indices().elements(), width, (from, count) -> {
            if (past) {
                EmbeddingCode.copy(
                        i -> table + 4L * width * ALL.get(ValueLayout.JAVA_INT_UNALIGNED, indices + 4 * i),
                        from,
                        from + count,
                        y + 4 * from * width,
                        4L * width);
                return;
            }
            if (narrow) {
                narrow(table, indices + 4 * from, y + 4 * from * width, count * (width / Lanes.FLOATS), width);
                return;
            }
            for (long i = from; i < from + count; i++) {
                long row = ALL.get(ValueLayout.JAVA_INT_UNALIGNED, indices + 4 * i);
                wide(table + 4 * row * width, y + 4 * i * width, 4L * width);
            }
        });
    }

    /** Throws for the first index that is not a row of the table. */
    static void checkRange(String op, Tensor indices, long rows) {
        long address = indices.address();
        long count = indices.elements();
        for (long i = 0; i < count; i++) {
            int index = ALL.get(ValueLayout.JAVA_INT_UNALIGNED, address + 4 * i);
            if (index < 0 || index >= rows) {
                throw Embedding.outside(op, index, i, rows);
            }
        }
    }

    /** One loop over the vectors of all rows: a loop over the few of each would cost more than its work. */
    private static void narrow(long table, long indices, long y, int vectors, int width) {
        long bytes = 4L * width;
        long next = indices;
        long from = 0;
        long end = 0;
        for (int i = 0; i < vectors; i++) {
            if (from == end) {
                from = table + bytes * ALL.get(ValueLayout.JAVA_INT_UNALIGNED, next & Lanes.ADDRESS);
                end = from + bytes;
                next += 4;
            }
            FloatVector.fromMemorySegment(Lanes.F, ALL, from & Lanes.ADDRESS, Lanes.ORDER)
                    .intoMemorySegment(ALL, y + (long) i * Lanes.BYTES, Lanes.ORDER);
            from += Lanes.BYTES;
        }
    }

    /** One long row. C2 does not unroll a loop that is not counted, and keeps the order of its accesses: see bench/lab/streams.md. */
    private static void wide(long row, long y, long bytes) {
        long end = bytes & -4L * Lanes.BYTES;
        for (long at = 0; at != end; at += 4 * Lanes.BYTES) {
            long from = row + at & Lanes.ADDRESS;
            long to = y + at & Lanes.ADDRESS;
            FloatVector a = FloatVector.fromMemorySegment(Lanes.F, ALL, from, Lanes.ORDER);
            FloatVector b = FloatVector.fromMemorySegment(Lanes.F, ALL, from + Lanes.BYTES, Lanes.ORDER);
            FloatVector c = FloatVector.fromMemorySegment(Lanes.F, ALL, from + 2 * Lanes.BYTES, Lanes.ORDER);
            FloatVector d = FloatVector.fromMemorySegment(Lanes.F, ALL, from + 3 * Lanes.BYTES, Lanes.ORDER);
            a.intoMemorySegment(ALL, to, Lanes.ORDER);
            b.intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
            c.intoMemorySegment(ALL, to + 2 * Lanes.BYTES, Lanes.ORDER);
            d.intoMemorySegment(ALL, to + 3 * Lanes.BYTES, Lanes.ORDER);
        }
        Copies.copy(row + end, y + end, bytes - end);
    }
}
