package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Broadcast;

/** y = scale x, repeated: the flat range of y, cut where the part of x that it repeats ends. */
final class BroadcastVector implements Kernel<Broadcast.Args> {
    private final WorkerPool pool;

    BroadcastVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(Broadcast.Args args) {
        return Ranges.flat(args.x(), args.y());
    }

    @Override
    public void run(Broadcast.Args args) {
        long x = args.x().address();
        long y = args.y().address();
        long repeated = args.repeated();
        long inner = args.inner();
        float scale = (float) args.scale();
        if (inner == 1) {
            Ranges.run(pool, args.y().elements(), (from, count) -> elements(x, y, from, count, repeated, scale));
        } else {
            Ranges.run(pool, args.y().elements(), (from, count) -> rows(x, y, from, count, repeated, inner, scale));
        }
    }

    /** Each element of x fills a run of y. */
    private static void elements(long x, long y, long from, int count, long repeated, float scale) {
        long element = x + 4 * (from / repeated);
        long done = from % repeated;
        int length;
        for (int i = 0; i < count; i += length) {
            length = (int) Math.min(repeated - done, count - i);
            FillVector.fill(y + 4 * (from + i), length, scale * Floats.get(element));
            element += 4;
            done = 0;
        }
    }

    /** Each row of x is copied to consecutive rows of y. */
    private static void rows(long x, long y, long from, int count, long repeated, long inner, float scale) {
        long column = from % inner;
        long copy = from / inner % repeated;
        long row = x + 4 * (from / inner / repeated) * inner;
        int length;
        for (int i = 0; i < count; i += length) {
            length = (int) Math.min(inner - column, count - i);
            ScaleVector.scale(row + 4 * column, y + 4 * (from + i), length, scale);
            column = 0;
            copy++;
            if (copy == repeated) {
                copy = 0;
                row += 4 * inner;
            }
        }
    }
}
