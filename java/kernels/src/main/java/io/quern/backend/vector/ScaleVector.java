package io.quern.backend.vector;

import static io.quern.backend.vector.StreamAssembler.A;
import static io.quern.backend.vector.StreamAssembler.FIRST;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Scale;

/** y = factor x. Bandwidth bound: one load, one store. */
final class ScaleVector implements Kernel<Scale.Args> {
    private static final StreamCode STREAM = StreamCode.of(step -> {
        step.load(0, A);
        step.multiply(0, 0, FIRST);
        step.store(0);
    });

    private final WorkerPool pool;

    ScaleVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(Scale.Args args) {
        return Ranges.flat(args.x(), args.y());
    }

    @Override
    public void run(Scale.Args args) {
        long x = args.x().address();
        long y = args.y().address();
        float factor = (float) args.factor();
        Ranges.Body body = (from, count) -> scale(x + 4 * from, y + 4 * from, count, factor);
        STREAM.run(pool, body, args.y().elements(), y, x, 0, factor);
    }

    /** y may be x. */
    static void scale(long x, long y, int count, float factor) {
        int whole = Floats.whole(count);
        long end = 4L * whole;
        for (long at = 0; at != end; at += Lanes.BYTES) {
            Floats.store(
                    y + at & Lanes.ADDRESS, Floats.load(x + at & Lanes.ADDRESS).mul(factor));
        }
        if (whole < count) {
            var tail = Floats.first(count - whole);
            long at = 4L * whole;
            Floats.store(y + at, Floats.load(x + at, tail).mul(factor), tail);
        }
    }
}
