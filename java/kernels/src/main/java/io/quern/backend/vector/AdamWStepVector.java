package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.AdamWStep;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/** One pass: four streams in, three out. */
final class AdamWStepVector implements Kernel<AdamWStep.Args> {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private final WorkerPool pool;

    AdamWStepVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(AdamWStep.Args args) {
        return Ranges.flat(args.parameter(), args.gradient(), args.moment1(), args.moment2());
    }

    /** The scalars of a step, rounded once. */
    private record Factors(
            float keep, float rate, float beta1, float rest1, float beta2, float rest2, float root, float epsilon) {
        static Factors of(AdamWStep.Args args) {
            return new Factors(
                    (float) (1 - args.rate() * args.decay()),
                    (float) (-args.rate() / args.correction1()),
                    (float) args.beta1(),
                    (float) (1 - args.beta1()),
                    (float) args.beta2(),
                    (float) (1 - args.beta2()),
                    (float) (1 / Math.sqrt(args.correction2())),
                    (float) args.epsilon());
        }
    }

    @Override
    public void run(AdamWStep.Args args) {
        Factors factors = Factors.of(args);
        long p = args.parameter().address();
        long g = args.gradient().address();
        long m = args.moment1().address();
        long v = args.moment2().address();
        Ranges.run(
                pool,
                args.parameter().elements(),
                (from, count) -> step(p + 4 * from, g + 4 * from, m + 4 * from, v + 4 * from, count, factors));
    }

    private static void step(long p, long g, long m, long v, int count, Factors f) {
        float keep = f.keep;
        float rate = f.rate;
        float beta1 = f.beta1;
        float rest1 = f.rest1;
        float beta2 = f.beta2;
        float rest2 = f.rest2;
        float root = f.root;
        float epsilon = f.epsilon;
        int i = 0;
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            long at = 4L * i;
            FloatVector gradient = FloatVector.fromMemorySegment(Lanes.F, ALL, g + at, Lanes.ORDER);
            FloatVector moment1 = FloatVector.fromMemorySegment(Lanes.F, ALL, m + at, Lanes.ORDER)
                    .mul(beta1)
                    .add(gradient.mul(rest1));
            FloatVector moment2 = FloatVector.fromMemorySegment(Lanes.F, ALL, v + at, Lanes.ORDER)
                    .mul(beta2)
                    .add(gradient.mul(rest2).mul(gradient));
            moment1.intoMemorySegment(ALL, m + at, Lanes.ORDER);
            moment2.intoMemorySegment(ALL, v + at, Lanes.ORDER);
            FloatVector direction =
                    moment1.mul(rate).div(moment2.sqrt().mul(root).add(epsilon));
            FloatVector.fromMemorySegment(Lanes.F, ALL, p + at, Lanes.ORDER)
                    .mul(keep)
                    .add(direction)
                    .intoMemorySegment(ALL, p + at, Lanes.ORDER);
        }
        for (; i < count; i++) {
            long at = 4L * i;
            float gradient = ALL.get(FLOAT, g + at);
            float moment1 = ALL.get(FLOAT, m + at) * beta1 + gradient * rest1;
            float moment2 = ALL.get(FLOAT, v + at) * beta2 + gradient * rest2 * gradient;
            ALL.set(FLOAT, m + at, moment1);
            ALL.set(FLOAT, v + at, moment2);
            float direction = moment1 * rate / ((float) Math.sqrt(moment2) * root + epsilon);
            ALL.set(FLOAT, p + at, ALL.get(FLOAT, p + at) * keep + direction);
        }
    }
}
