package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.StreamAssembler.A;
import static io.quern.backend.vector.StreamAssembler.B;
import static io.quern.backend.vector.StreamAssembler.FIRST;
import static io.quern.backend.vector.StreamAssembler.GREATER;
import static io.quern.backend.vector.StreamAssembler.ZERO;
import static jdk.incubator.vector.VectorOperators.FMA;
import static jdk.incubator.vector.VectorOperators.GT;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.ActivationBackward;
import io.quern.op.ActivationKind;
import jdk.incubator.vector.FloatVector;

/** dx = dy f'(saved). One loop per function behind an interface call, as in {@link ActivationVector}. */
final class ActivationBackwardVector implements Kernel<ActivationBackward.Args> {
    /** Of relu and leaky relu: dy times a constant, or dy where the saved result is above 0. */
    private static final StreamCode STEP = StreamCode.of(step -> {
        step.load(0, A);
        step.load(1, B);
        step.multiply(2, 1, FIRST);
        step.compare(0, ZERO, GREATER);
        step.moveWhere(2, 1);
        step.store(2);
    });

    /** The constant is 1. */
    private static final StreamCode SIGMOID = StreamCode.of(step -> {
        step.load(0, A);
        step.subtract(1, FIRST, 0);
        step.multiply(0, 0, 1);
        step.multiplyStream(0, 0, B);
        step.store(0);
    });

    /** The constant is 1. */
    private static final StreamCode TANH = StreamCode.of(step -> {
        step.load(0, A);
        step.load(1, A);
        step.subtractProduct(0, 1, FIRST);
        step.multiplyStream(0, 0, B);
        step.store(0);
    });

    private final WorkerPool pool;

    ActivationBackwardVector(WorkerPool pool) {
        this.pool = pool;
    }

    private interface Loop {
        void run(long saved, long dy, long dx, int count);
    }

    @Override
    public boolean supports(ActivationBackward.Args args) {
        return Ranges.flat(args.saved(), args.dy(), args.dx());
    }

    @Override
    public void run(ActivationBackward.Args args) {
        long saved = args.saved().address();
        long dy = args.dy().address();
        long dx = args.dx().address();
        Loop loop = loop(args.kind());
        long elements = args.dx().elements();
        Ranges.Body body = (from, count) -> {
            long at = 4 * from;
            loop.run(saved + at, dy + at, dx + at, count);
        };
        switch (args.kind()) {
            case RELU -> STEP.run(pool, body, elements, dx, saved, dy, 0f);
            case LEAKY_RELU -> STEP.run(pool, body, elements, dx, saved, dy, (float) ActivationKind.LEAK);
            case SIGMOID -> SIGMOID.run(pool, body, elements, dx, saved, dy, 1f);
            case TANH -> TANH.run(pool, body, elements, dx, saved, dy, 1f);
            case NONE, GELU, SILU -> Ranges.run(pool, elements, body);
        }
    }

    private static Loop loop(ActivationKind kind) {
        return switch (kind) {
            case NONE -> (saved, dy, dx, count) -> ActivationVector.apply(ActivationKind.NONE, dy, dx, count);
            case RELU -> ActivationBackwardVector::relu;
            case LEAKY_RELU -> ActivationBackwardVector::leakyRelu;
            case SIGMOID -> ActivationBackwardVector::sigmoid;
            case TANH -> ActivationBackwardVector::tanh;
            case GELU -> ActivationBackwardVector::gelu;
            case SILU -> ActivationBackwardVector::silu;
        };
    }

    private static FloatVector relu(FloatVector y, FloatVector dy) {
        return dy.mul(0f).blend(dy, y.compare(GT, 0f));
    }

    private static FloatVector leakyRelu(FloatVector y, FloatVector dy) {
        return dy.mul((float) ActivationKind.LEAK).blend(dy, y.compare(GT, 0f));
    }

    /** y (1 - y). */
    private static FloatVector sigmoid(FloatVector y) {
        return y.mul(Floats.all(1).sub(y));
    }

    /** 1 - y^2. */
    private static FloatVector tanh(FloatVector y) {
        return y.neg().lanewise(FMA, y, 1f);
    }

    private static void relu(long saved, long dy, long dx, int count) {
        int whole = Floats.whole(count);
        long end = 4L * whole;
        for (long at = 0; at != end; at += Lanes.BYTES) {
            Floats.store(
                    dx + at & Lanes.ADDRESS,
                    relu(Floats.load(saved + at & Lanes.ADDRESS), Floats.load(dy + at & Lanes.ADDRESS)));
        }
        if (whole < count) {
            long at = 4L * whole;
            var tail = Floats.first(count - whole);
            Floats.store(dx + at, relu(Floats.load(saved + at, tail), Floats.load(dy + at, tail)), tail);
        }
    }

    private static void leakyRelu(long saved, long dy, long dx, int count) {
        int whole = Floats.whole(count);
        long end = 4L * whole;
        for (long at = 0; at != end; at += Lanes.BYTES) {
            Floats.store(
                    dx + at & Lanes.ADDRESS,
                    leakyRelu(Floats.load(saved + at & Lanes.ADDRESS), Floats.load(dy + at & Lanes.ADDRESS)));
        }
        if (whole < count) {
            long at = 4L * whole;
            var tail = Floats.first(count - whole);
            Floats.store(dx + at, leakyRelu(Floats.load(saved + at, tail), Floats.load(dy + at, tail)), tail);
        }
    }

    private static void sigmoid(long saved, long dy, long dx, int count) {
        int whole = Floats.whole(count);
        long end = 4L * whole;
        for (long at = 0; at != end; at += Lanes.BYTES) {
            Floats.store(
                    dx + at & Lanes.ADDRESS,
                    sigmoid(Floats.load(saved + at & Lanes.ADDRESS)).mul(Floats.load(dy + at & Lanes.ADDRESS)));
        }
        if (whole < count) {
            long at = 4L * whole;
            var tail = Floats.first(count - whole);
            Floats.store(dx + at, sigmoid(Floats.load(saved + at, tail)).mul(Floats.load(dy + at, tail)), tail);
        }
    }

    private static void tanh(long saved, long dy, long dx, int count) {
        int whole = Floats.whole(count);
        long end = 4L * whole;
        for (long at = 0; at != end; at += Lanes.BYTES) {
            Floats.store(
                    dx + at & Lanes.ADDRESS,
                    tanh(Floats.load(saved + at & Lanes.ADDRESS)).mul(Floats.load(dy + at & Lanes.ADDRESS)));
        }
        if (whole < count) {
            long at = 4L * whole;
            var tail = Floats.first(count - whole);
            Floats.store(dx + at, tanh(Floats.load(saved + at, tail)).mul(Floats.load(dy + at, tail)), tail);
        }
    }

    private static void gelu(long saved, long dy, long dx, int count) {
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            long at = 4L * i;
            FloatVector gradient = Floats.load(dy + at);
            VectorMath.geluSlope(Floats.load(saved + at)).mul(gradient).intoMemorySegment(ALL, dx + at, Lanes.ORDER);
        }
        for (int i = whole; i < count; i++) {
            long at = 4L * i;
            Floats.set(dx + at, ScalarMath.geluSlope(Floats.get(saved + at)) * Floats.get(dy + at));
        }
    }

    private static void silu(long saved, long dy, long dx, int count) {
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            long at = 4L * i;
            FloatVector gradient = Floats.load(dy + at);
            VectorMath.siluSlope(Floats.load(saved + at)).mul(gradient).intoMemorySegment(ALL, dx + at, Lanes.ORDER);
        }
        for (int i = whole; i < count; i++) {
            long at = 4L * i;
            Floats.set(dx + at, ScalarMath.siluSlope(Floats.get(saved + at)) * Floats.get(dy + at));
        }
    }
}
