package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.EmbeddingBackward;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * Adds rows of dy to rows of dtable. Where threads share the work, each part owns every eighth row of the table and reads all indices: in this way the
 * order of a row's sum is that of the indices, and frequent words, whose numbers are often neighbours, are spread.
 */
final class EmbeddingBackwardVector implements Kernel<EmbeddingBackward.Args> {
    private static final int PARTS = 8;

    private final WorkerPool pool;

    EmbeddingBackwardVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(EmbeddingBackward.Args args) {
        return Ranges.flat(args.dy(), args.dtable()) && args.indices().isContiguous();
    }

    @Override
    public void run(EmbeddingBackward.Args args) {
        long rows = args.dtable().size(0);
        EmbeddingVector.checkRange("EmbeddingBackward", args.indices(), rows);
        int width = args.dtable().dim(1);
        long count = args.indices().elements();
        long indices = args.indices().address();
        long dy = args.dy().address();
        long dtable = args.dtable().address();
        long elements = args.dtable().elements();
        int parts = pool.threads() == 1 || args.dy().elements() + elements <= Ranges.BLOCK ? 1 : PARTS;
        // a table that stays in the caches is cleared by the threads that add to it, whose cores have its lines then
        boolean cleared = parts == 1 || Float.BYTES * elements >= StreamCode.least;
        if (cleared) {
            FillVector.run(pool, dtable, elements, 0);
        }
        pool.run(parts, part -> {
            for (long row = part; !cleared && row < rows; row += parts) {
                Copies.zero(dtable + 4 * row * width, 4L * width);
            }
            for (long i = 0; i < count; i++) {
                int row = ALL.get(ValueLayout.JAVA_INT_UNALIGNED, indices + 4 * i);
                if ((row & parts - 1) == part) {
                    add(dy + 4 * i * width, dtable + 4L * row * width, width);
                }
            }
        });
    }

    private static void add(long from, long to, int count) {
        int i = 0;
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            FloatVector.fromMemorySegment(Lanes.F, ALL, to + 4L * i, Lanes.ORDER)
                    .add(FloatVector.fromMemorySegment(Lanes.F, ALL, from + 4L * i, Lanes.ORDER))
                    .intoMemorySegment(ALL, to + 4L * i, Lanes.ORDER);
        }
        if (i < count) {
            VectorMask<Float> mask = Lanes.F.indexInRange(i, count);
            FloatVector.fromMemorySegment(Lanes.F, ALL, to + 4L * i, Lanes.ORDER, mask)
                    .add(FloatVector.fromMemorySegment(Lanes.F, ALL, from + 4L * i, Lanes.ORDER, mask))
                    .intoMemorySegment(ALL, to + 4L * i, Lanes.ORDER, mask);
        }
    }
}
