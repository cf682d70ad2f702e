package io.quern.backend.vector;

import static io.quern.backend.vector.StreamAssembler.A;
import static io.quern.backend.vector.StreamAssembler.B;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Multiply;

/** y = a b. Bandwidth bound: two loads, one store. */
final class MultiplyVector implements Kernel<Multiply.Args> {
    private static final StreamCode STREAM = StreamCode.of(step -> {
        step.load(0, A);
        step.multiplyStream(0, 0, B);
        step.store(0);
    });

    private final WorkerPool pool;

    MultiplyVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(Multiply.Args args) {
        return Ranges.flat(args.a(), args.b(), args.y());
    }

    @Override
    public void run(Multiply.Args args) {
        long a = args.a().address();
        long b = args.b().address();
        long y = args.y().address();
        long elements = args.y().elements();
        Ranges.Body body = (from, count) -> multiply(a + 4 * from, b + 4 * from, y + 4 * from, count);
        STREAM.run(pool, body, elements, y, a, b, 0);
    }

    private static void multiply(long a, long b, long y, int count) {
        int whole = Floats.whole(count);
        long end = 4L * whole;
        for (long at = 0; at != end; at += Lanes.BYTES) {
            Floats.store(
                    y + at & Lanes.ADDRESS,
                    Floats.load(a + at & Lanes.ADDRESS).mul(Floats.load(b + at & Lanes.ADDRESS)));
        }
        if (whole < count) {
            var tail = Floats.first(count - whole);
            long at = 4L * whole;
            Floats.store(y + at, Floats.load(a + at, tail).mul(Floats.load(b + at, tail)), tail);
        }
    }
}
