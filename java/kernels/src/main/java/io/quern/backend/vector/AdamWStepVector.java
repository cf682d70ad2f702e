package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.OptimizerCode.CONSTANT;
import static io.quern.backend.vector.OptimizerCode.stream;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.AdamWStep;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/** One pass: four streams in, three out. */
final class AdamWStepVector implements Kernel<AdamWStep.Args> {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Numbers of the streams and registers of the constants in {@link #CODE}. */
    private static final int P = 0, G = 1, M = 2, V = 3;

    private static final int KEEP = CONSTANT,
            RATE = CONSTANT + 1,
            BETA_1 = CONSTANT + 2,
            REST_1 = CONSTANT + 3,
            BETA_2 = CONSTANT + 4,
            REST_2 = CONSTANT + 5,
            ROOT = CONSTANT + 6,
            EPSILON = CONSTANT + 7;

    private static final OptimizerCode CODE = new OptimizerCode(4, 8, code -> {
        int gradient = 0, moment1 = 1, moment2 = 2, square = 3, parameter = 4;
        code.loadVector(gradient, stream(G));
        code.multiplyVector(moment1, BETA_1, stream(M));
        code.multiplyVector(moment2, BETA_2, stream(V));
        code.multiply(square, gradient, REST_2);
        code.multiply(square, square, gradient);
        code.multiply(gradient, gradient, REST_1);
        code.addVectors(moment1, moment1, gradient);
        code.addVectors(moment2, moment2, square);
        code.storeVector(moment1, stream(M), 0);
        code.storeVector(moment2, stream(V), 0);
        code.squareRoot(moment2, moment2);
        code.multiply(moment1, moment1, RATE);
        code.multiply(moment2, moment2, ROOT);
        code.addVectors(moment2, moment2, EPSILON);
        code.divide(moment1, moment1, moment2);
        code.multiplyVector(parameter, KEEP, stream(P));
        code.addVectors(parameter, parameter, moment1);
        code.storeVector(parameter, stream(P), 0);
    });

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

        /** As {@link #CODE} has them in its registers. */
        float[] inOrder() {
            return new float[] {keep, rate, beta1, rest1, beta2, rest2, root, epsilon};
        }
    }

    @Override
    public void run(AdamWStep.Args args) {
        Factors factors = Factors.of(args);
        float[] constants = factors.inOrder();
        long p = args.parameter().address();
        long g = args.gradient().address();
        long m = args.moment1().address();
        long v = args.moment2().address();
        Ranges.run(pool, args.parameter().elements(), (from, count) -> {
            long at = 4 * from;
            int done = CODE.run(count, constants, p + at, g + at, m + at, v + at);
            step(p + at, g + at, m + at, v + at, done, count, factors);
        });
    }

    /** Elements {@code from} to {@code count}. */
    private static void step(long p, long g, long m, long v, int from, int count, Factors f) {
        float keep = f.keep;
        float rate = f.rate;
        float beta1 = f.beta1;
        float rest1 = f.rest1;
        float beta2 = f.beta2;
        float rest2 = f.rest2;
        float root = f.root;
        float epsilon = f.epsilon;
        int i = from;
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
