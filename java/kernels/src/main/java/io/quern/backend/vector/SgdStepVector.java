package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.OptimizerCode.CONSTANT;
import static io.quern.backend.vector.OptimizerCode.stream;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.SgdStep;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/** One pass over parameters, gradients and velocities; bandwidth bound. */
final class SgdStepVector implements Kernel<SgdStep.Args> {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Numbers of the streams and registers of the constants in machine code. */
    private static final int P = 0, G = 1, V = 2;

    private static final int KEEP = CONSTANT, RATE = CONSTANT + 1, MOMENTUM = CONSTANT + 2, A = CONSTANT + 3;

    private static final OptimizerCode PLAIN = new OptimizerCode(2, 2, code -> {
        code.multiplyVector(0, RATE, stream(G));
        addToKept(code);
    });

    private static final OptimizerCode CLASSICAL = new OptimizerCode(3, 4, code -> {
        moveVelocity(code);
        code.multiply(0, 0, RATE);
        addToKept(code);
    });

    private static final OptimizerCode NESTEROV = new OptimizerCode(3, 4, code -> {
        moveVelocity(code);
        code.multiply(0, 0, A);
        code.addVectors(0, 0, stream(G), 0);
        code.multiply(0, 0, RATE);
        addToKept(code);
    });

    /** Leaves the new one in register 0. */
    private static void moveVelocity(VectorAssembler code) {
        code.multiplyVector(0, MOMENTUM, stream(V));
        code.addVectors(0, 0, stream(G), 0);
        code.storeVector(0, stream(V), 0);
    }

    private static void addToKept(VectorAssembler code) {
        code.multiplyVector(1, KEEP, stream(P));
        code.addVectors(1, 0, 1);
        code.storeVector(1, stream(P), 0);
    }

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
            float[] constants = {keep, rate};
            Ranges.run(pool, args.parameter().elements(), (from, count) -> {
                long at = 4 * from;
                int done = PLAIN.run(count, constants, p + at, g + at);
                plain(p + at, g + at, done, count, keep, rate);
            });
        } else {
            long v = args.velocity().address();
            // d = g + momentum v' or v' = a v' + b g with (a, b) = (momentum, 1) or (1, 0)
            float a = args.nesterov() ? momentum : 1;
            float b = args.nesterov() ? 1 : 0;
            float[] constants = {keep, rate, momentum, a};
            OptimizerCode code = args.nesterov() ? NESTEROV : CLASSICAL;
            Ranges.run(pool, args.parameter().elements(), (from, count) -> {
                long at = 4 * from;
                int done = code.run(count, constants, p + at, g + at, v + at);
                momentum(p + at, g + at, v + at, done, count, keep, rate, momentum, a, b);
            });
        }
    }

    /** Elements {@code from} to {@code count}. */
    private static void plain(long p, long g, int from, int count, float keep, float rate) {
        int i = from;
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
            long p, long g, long v, int from, int count, float keep, float rate, float momentum, float a, float b) {
        int i = from;
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
