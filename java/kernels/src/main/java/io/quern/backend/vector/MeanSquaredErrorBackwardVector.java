package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.MeanSquaredErrorBackward;

/** da = (a - b) factor. Bandwidth bound: two loads, one store. */
final class MeanSquaredErrorBackwardVector implements Kernel<MeanSquaredErrorBackward.Args> {
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
        Ranges.run(pool, elements, (from, count) -> {
            long at = 4 * from;
            scaledDifference(a + at, b + at, da + at, count, factor);
        });
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
