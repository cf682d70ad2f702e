package io.quern.backend.vector;

import static io.quern.backend.vector.StreamAssembler.FIRST;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Fill;
import jdk.incubator.vector.FloatVector;

/** y = value. Bandwidth bound: one store. */
final class FillVector implements Kernel<Fill.Args> {
    private static final StreamCode STREAM = StreamCode.of(step -> step.store(FIRST));

    private final WorkerPool pool;

    FillVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(Fill.Args args) {
        return Ranges.flat(args.y());
    }

    @Override
    public void run(Fill.Args args) {
        run(pool, args.y().address(), args.y().elements(), (float) args.value());
    }

    static void run(WorkerPool pool, long y, long elements, float value) {
        Ranges.Body body = (from, count) -> fill(y + 4 * from, count, value);
        STREAM.run(pool, body, elements, y, 0, 0, value);
    }

    static void fill(long y, int count, float value) {
        FloatVector all = Floats.all(value);
        int whole = Floats.whole(count);
        long end = 4L * whole;
        for (long at = 0; at != end; at += Lanes.BYTES) {
            Floats.store(y + at & Lanes.ADDRESS, all);
        }
        if (whole < count) {
            Floats.store(y + 4L * whole, all, Floats.first(count - whole));
        }
    }
}
