package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Reduce;
import io.quern.op.ReduceKind;
import io.quern.tensor.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * x seen as [outer, reduced, inner] is cut into blocks of rows, columns or both, by its shape alone; where several
 * blocks share an output, their partial results are combined in order by the same code.
 */
final class ReduceVector implements Kernel<Reduce.Args> {
    /** Elements per block of parallel work. */
    private static final int BLOCK = 1 << 16;
    /** Columns per block: their results stay in the first-level cache. */
    private static final int COLUMNS = 1 << 11;

    private final WorkerPool pool;
    private MemorySegment partials = MemorySegment.NULL;

    ReduceVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(Reduce.Args args) {
        return Ranges.flat(args.x(), args.y());
    }

    @Override
    public void run(Reduce.Args args) {
        long y = args.y().address();
        long outer = args.outer();
        long reduced = args.reduced();
        long inner = args.inner();
        boolean max = args.kind() == ReduceKind.MAX;
        if (reduced == 0) {
            Ranges.run(pool, outer * inner, (from, count) -> FillVector.fill(y + 4 * from, count, 0));
        } else if (inner == 1) {
            rows(args.x().address(), y, outer, reduced, max, args.kind() == ReduceKind.MEAN ? reduced : 1);
            return;
        } else if (outer > 0 && inner > 0) {
            columns(args.x().address(), y, outer, reduced, inner, max);
        }
        if (args.kind() == ReduceKind.MEAN) {
            float n = reduced;
            Ranges.run(pool, outer * inner, (from, count) -> divide(y + 4 * from, count, n));
        }
    }

    /** y[o] from x[o, r], over n. */
    private void rows(long x, long y, long outer, long reduced, boolean max, float n) {
        if (reduced <= BLOCK) {
            long perBlock = BLOCK / reduced;
            pool.run(Math.toIntExact((outer + perBlock - 1) / perBlock), block -> {
                long end = Math.min(outer, (block + 1) * perBlock);
                for (long o = block * perBlock; o < end; o++) {
                    row(x + 4 * o * reduced, (int) reduced, y + 4 * o, max, n);
                }
            });
            return;
        }
        long parts = (reduced + BLOCK - 1) / BLOCK;
        long partial = partials(outer * parts);
        pool.run(Math.toIntExact(outer * parts), block -> {
            long o = block / parts;
            long from = block % parts * BLOCK;
            row(x + 4 * (o * reduced + from), (int) Math.min(BLOCK, reduced - from), partial + 4L * block, max, 1);
        });
        for (long o = 0; o < outer; o++) {
            row(partial + 4 * o * parts, Math.toIntExact(parts), y + 4 * o, max, n);
        }
    }

    private static void row(long x, int count, long y, boolean max, float n) {
        Floats.set(y, max ? ReduceRow.max(x, count) : ReduceRow.sum(x, count) / n);
    }

    /** y[o, i] from x[o, r, i]. */
    private void columns(long x, long y, long outer, long reduced, long inner, boolean max) {
        long width = Math.min(inner, COLUMNS);
        long strips = (inner + width - 1) / width;
        long height = BLOCK / width;
        long parts = (reduced + height - 1) / height;
        long together = Math.max(1, BLOCK / (reduced * inner));
        if (parts == 1 && strips == 1) {
            pool.run(Math.toIntExact((outer + together - 1) / together), block -> {
                long end = Math.min(outer, (block + 1) * together);
                for (long o = block * together; o < end; o++) {
                    ReduceColumns.run(
                            x + 4 * o * reduced * inner, inner, (int) reduced, (int) inner, y + 4 * o * inner, max);
                }
            });
            return;
        }
        long target = parts == 1 ? y : partials(outer * parts * inner);
        pool.run(Math.toIntExact(outer * parts * strips), block -> {
            long o = block / (parts * strips);
            long part = block / strips % parts;
            long column = block % strips * width;
            long row = part * height;
            ReduceColumns.run(
                    x + 4 * ((o * reduced + row) * inner + column),
                    inner,
                    (int) Math.min(height, reduced - row),
                    (int) Math.min(width, inner - column),
                    target + 4 * ((o * parts + part) * inner + column),
                    max);
        });
        if (parts > 1) {
            pool.run(Math.toIntExact(outer * strips), block -> {
                long o = block / strips;
                long column = block % strips * width;
                ReduceColumns.run(
                        target + 4 * (o * parts * inner + column),
                        inner,
                        Math.toIntExact(parts),
                        (int) Math.min(width, inner - column),
                        y + 4 * (o * inner + column),
                        max);
            });
        }
    }

    private static void divide(long y, int count, float n) {
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            Floats.store(y + 4L * i, Floats.load(y + 4L * i).div(n));
        }
        if (whole < count) {
            var tail = Floats.first(count - whole);
            Floats.store(y + 4L * whole, Floats.load(y + 4L * whole, tail).div(n), tail);
        }
    }

    /** Memory for partial results, kept and grown: a backend runs one op at a time. */
    private long partials(long floats) {
        if (partials.byteSize() < 4 * floats) {
            partials = Arena.ofAuto().allocate(4 * floats, Memory.ALIGNMENT);
        }
        return partials.address();
    }
}
