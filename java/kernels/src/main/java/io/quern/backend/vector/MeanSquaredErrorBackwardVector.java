package io.quern.backend.vector;

import static io.quern.backend.vector.StreamAssembler.A;
import static io.quern.backend.vector.StreamAssembler.B;
import static io.quern.backend.vector.StreamAssembler.FIRST;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.MeanSquaredErrorBackward;

/** da = (a - b) factor. Bandwidth bound: two loads, one store. */
final class MeanSquaredErrorBackwardVector implements Kernel<MeanSquaredErrorBackward.Args> {
    private static final StreamCode STREAM = StreamCode.of(step -> {
        step.load(0, A);
        step.subtractStream(0, 0, B);
        step.multiply(0, 0, FIRST);
        step.store(0);
    });

    private final WorkerPool pool;

    MeanSquaredErrorBackwardVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(MeanSquaredErrorBackward.Args args) {
        return Ranges.flat(args.a(), args.b(), args.dy(), args.da());
    }

    @Override
    public void run(MeanSquaredErrorBackward.Args args) {
        long a = args.a().address();
        long b = args.b().address();
        long da = args.da().address();
        long elements = args.da().elements();
        float factor = (float) (2 * args.dy().item() / elements);
        Ranges.Body body = (from, count) -> {
            long at = 4 * from;
            scaledDifference(a + at, b + at, da + at, count, factor);
        };
        STREAM.run(pool, body, elements, da, a, b, factor);
    }

    private static void scaledDifference(long a, long b, long da, int count, float factor) {
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            long at = 4L * i;
            Floats.store(da + at, Floats.load(a + at).sub(Floats.load(b + at)).mul(factor));
        }
        if (whole < count) {
            var tail = Floats.first(count - whole);
            long at = 4L * whole;
            Floats.store(
                    da + at,
                    Floats.load(a + at, tail).sub(Floats.load(b + at, tail)).mul(factor),
                    tail);
        }
    }
}
