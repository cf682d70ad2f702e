package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.StreamAssembler.A;
import static io.quern.backend.vector.StreamAssembler.FIRST;
import static io.quern.backend.vector.StreamAssembler.GREATER;
import static io.quern.backend.vector.StreamAssembler.ZERO;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LT;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Activation;
import io.quern.op.ActivationKind;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * y = f(x). One loop per function, behind an interface call, with one copy of the function in it; why, is told in
 * {@link VectorMath}. GELU's has two, but written with the API throughout, so that nothing has to be inlined.
 */
final class ActivationVector implements Kernel<Activation.Args> {
    private static final StreamCode RELU = StreamCode.of(step -> {
        step.load(0, A);
        step.maximum(0, ZERO, 0);
        step.store(0);
    });

    private static final StreamCode LEAKY_RELU = StreamCode.of(step -> {
        step.load(0, A);
        step.multiply(1, 0, FIRST);
        step.compare(0, ZERO, GREATER);
        step.moveWhere(1, 0);
        step.store(1);
    });

    private final WorkerPool pool;

    ActivationVector(WorkerPool pool) {
        this.pool = pool;
    }

    private interface Loop {
        void run(long x, long y, int count);
    }

    @Override
    public boolean supports(Activation.Args args) {
        return Ranges.flat(args.x(), args.y());
    }

    @Override
    public void run(Activation.Args args) {
        long x = args.x().address();
        long y = args.y().address();
        Loop loop = loop(args.kind());
        long elements = args.y().elements();
        Ranges.Body body = (from, count) -> loop.run(x + 4 * from, y + 4 * from, count);
        switch (args.kind()) {
            case RELU -> RELU.run(pool, body, elements, y, x, 0, 0);
            case LEAKY_RELU -> LEAKY_RELU.run(pool, body, elements, y, x, 0, (float) ActivationKind.LEAK);
            case NONE, SIGMOID, TANH, GELU, SILU -> Ranges.run(pool, elements, body);
        }
    }

    /** A run of elements, also for the epilogues of other kernels. y may be x. */
    static void apply(ActivationKind kind, long x, long y, int count) {
        loop(kind).run(x, y, count);
    }

    private static Loop loop(ActivationKind kind) {
        return switch (kind) {
            case NONE -> ActivationVector::copy;
            case RELU -> ActivationVector::relu;
            case LEAKY_RELU -> ActivationVector::leakyRelu;
            case SIGMOID -> ActivationVector::sigmoid;
            case TANH -> ActivationVector::tanh;
            case GELU -> ActivationVector::gelu;
            case SILU -> ActivationVector::silu;
        };
    }

    private static void copy(long x, long y, int count) {
        if (x != y) {
            MemorySegment.copy(ALL, x, ALL, y, 4L * count);
        }
    }

    /** NaN stays. */
    private static FloatVector relu(FloatVector x) {
        return x.blend(0f, x.compare(LT, 0f));
    }

    private static FloatVector leakyRelu(FloatVector x) {
        return x.mul((float) ActivationKind.LEAK).blend(x, x.compare(GT, 0f));
    }

    private static void relu(long x, long y, int count) {
        int whole = Floats.whole(count);
        long end = 4L * whole;
        for (long at = 0; at != end; at += Lanes.BYTES) {
            Floats.store(y + at & Lanes.ADDRESS, relu(Floats.load(x + at & Lanes.ADDRESS)));
        }
        if (whole < count) {
            var tail = Floats.first(count - whole);
            Floats.store(y + 4L * whole, relu(Floats.load(x + 4L * whole, tail)), tail);
        }
    }

    private static void leakyRelu(long x, long y, int count) {
        int whole = Floats.whole(count);
        long end = 4L * whole;
        for (long at = 0; at != end; at += Lanes.BYTES) {
            Floats.store(y + at & Lanes.ADDRESS, leakyRelu(Floats.load(x + at & Lanes.ADDRESS)));
        }
        if (whole < count) {
            var tail = Floats.first(count - whole);
            Floats.store(y + 4L * whole, leakyRelu(Floats.load(x + 4L * whole, tail)), tail);
        }
    }

    private static void sigmoid(long x, long y, int count) {
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            VectorMath.sigmoid(Floats.load(x + 4L * i)).intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER);
        }
        for (int i = whole; i < count; i++) {
            Floats.set(y + 4L * i, ScalarMath.sigmoid(Floats.get(x + 4L * i)));
        }
    }

    private static void tanh(long x, long y, int count) {
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            VectorMath.tanh(Floats.load(x + 4L * i)).intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER);
        }
        for (int i = whole; i < count; i++) {
            Floats.set(y + 4L * i, ScalarMath.tanh(Floats.get(x + 4L * i)));
        }
    }

    private static void gelu(long x, long y, int count) {
        int pairs = count - count % (2 * Lanes.FLOATS);
        ActivationRows.gelu(x, y, pairs);
        int whole = Floats.whole(count);
        for (int i = pairs; i < whole; i += Lanes.FLOATS) {
            VectorMath.gelu(Floats.load(x + 4L * i)).intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER);
        }
        for (int i = whole; i < count; i++) {
            Floats.set(y + 4L * i, ScalarMath.gelu(Floats.get(x + 4L * i)));
        }
    }

    private static void silu(long x, long y, int count) {
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            VectorMath.silu(Floats.load(x + 4L * i)).intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER);
        }
        for (int i = whole; i < count; i++) {
            Floats.set(y + 4L * i, ScalarMath.silu(Floats.get(x + 4L * i)));
        }
    }
}
