package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Embedding;
import io.quern.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** Copies rows; checks all indices first. */
final class EmbeddingVector implements Kernel<Embedding.Args> {
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
        Rows.run(pool, args.indices().elements(), width, (from, count) -> {
            for (long i = from; i < from + count; i++) {
                long row = ALL.get(ValueLayout.JAVA_INT_UNALIGNED, indices + 4 * i);
                copy(table + 4 * row * width, y + 4 * i * width, width);
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

    private static void copy(long from, long to, int count) {
        int i = 0;
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            FloatVector.fromMemorySegment(Lanes.F, ALL, from + 4L * i, Lanes.ORDER)
                    .intoMemorySegment(ALL, to + 4L * i, Lanes.ORDER);
        }
        if (i < count) {
            VectorMask<Float> mask = Lanes.F.indexInRange(i, count);
            FloatVector.fromMemorySegment(Lanes.F, ALL, from + 4L * i, Lanes.ORDER, mask)
                    .intoMemorySegment(ALL, to + 4L * i, Lanes.ORDER, mask);
        }
    }
}
