package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.SgdStep;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/** One pass over parameters, gradients and velocities; bandwidth bound. */
final class SgdStepVector implements Kernel<SgdStep.Args> {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private final WorkerPool pool;

    SgdStepVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(SgdStep.Args args) {
        return Ranges.flat(args.parameter(), args.gradient(), args.velocity());
    }

    @Override
    public void run(SgdStep.Args args) {
        long p = args.parameter().address();
        long g = args.gradient().address();
        float keep = (float) (1 - args.rate() * args.decay());
        float rate = (float) -args.rate();
        float momentum = (float) args.momentum();
        if (args.velocity() == null) {
            Ranges.run(
                    pool,
                    args.parameter().elements(),
                    (from, count) -> plain(p + 4 * from, g + 4 * from, count, keep, rate));
        } else {
            long v = args.velocity().address();
            // d = g + momentum v' or v' = a v' + b g with (a, b) = (momentum, 1) or (1, 0)
            float a = args.nesterov() ? momentum : 1;
            float b = args.nesterov() ? 1 : 0;
            Ranges.run(
                    pool,
                    args.parameter().elements(),
                    (from, count) ->
                            momentum(p + 4 * from, g + 4 * from, v + 4 * from, count, keep, rate, momentum, a, b));
        }
    }

    private static void plain(long p, long g, int count, float keep, float rate) {
        int i = 0;
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            long at = 4L * i;
            FloatVector.fromMemorySegment(Lanes.F, ALL, g + at, Lanes.ORDER)
                    .mul(rate)
                    .add(FloatVector.fromMemorySegment(Lanes.F, ALL, p + at, Lanes.ORDER)
                            .mul(keep))
                    .intoMemorySegment(ALL, p + at, Lanes.ORDER);
        }
        for (; i < count; i++) {
            long at = 4L * i;
            ALL.set(FLOAT, p + at, ALL.get(FLOAT, g + at) * rate + ALL.get(FLOAT, p + at) * keep);
        }
    }

    private static void momentum(
            long p, long g, long v, int count, float keep, float rate, float momentum, float a, float b) {
        int i = 0;
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            long at = 4L * i;
            FloatVector gradient = FloatVector.fromMemorySegment(Lanes.F, ALL, g + at, Lanes.ORDER);
            FloatVector velocity = FloatVector.fromMemorySegment(Lanes.F, ALL, v + at, Lanes.ORDER)
                    .mul(momentum)
                    .add(gradient);
            velocity.intoMemorySegment(ALL, v + at, Lanes.ORDER);
            FloatVector direction = b == 0 ? velocity : velocity.mul(a).add(gradient);
            direction
                    .mul(rate)
                    .add(FloatVector.fromMemorySegment(Lanes.F, ALL, p + at, Lanes.ORDER)
                            .mul(keep))
                    .intoMemorySegment(ALL, p + at, Lanes.ORDER);
        }
        for (; i < count; i++) {
            long at = 4L * i;
            float gradient = ALL.get(FLOAT, g + at);
            float velocity = ALL.get(FLOAT, v + at) * momentum + gradient;
            ALL.set(FLOAT, v + at, velocity);
            float direction = b == 0 ? velocity : velocity * a + gradient;
            ALL.set(FLOAT, p + at, direction * rate + ALL.get(FLOAT, p + at) * keep);
        }
    }
}
