package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static jdk.incubator.vector.VectorOperators.FMA;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LT;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Activation;
import io.quern.op.ActivationKind;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/** y = f(x). One loop per function: a loop over a function object would allocate its vectors. */
final class ActivationVector implements Kernel<Activation.Args> {
    /** GELU and SILU are below the smallest float from here on down, and x s(x) would be infinity times 0. */
    private static final float VANISHES = -110f;

    private final WorkerPool pool;

    ActivationVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(Activation.Args args) {
        return Ranges.flat(args.x(), args.y());
    }

    @Override
    public void run(Activation.Args args) {
        long x = args.x().address();
        long y = args.y().address();
        ActivationKind kind = args.kind();
        Ranges.run(pool, args.y().elements(), (from, count) -> apply(kind, x + 4 * from, y + 4 * from, count));
    }

    /** A run of elements, also for the epilogues of other kernels. y may be x. */
    static void apply(ActivationKind kind, long x, long y, int count) {
        switch (kind) {
            case NONE -> copy(x, y, count);
            case RELU -> relu(x, y, count);
            case LEAKY_RELU -> leakyRelu(x, y, count);
            case SIGMOID -> sigmoid(x, y, count);
            case TANH -> tanh(x, y, count);
            case GELU -> gelu(x, y, count);
            case SILU -> silu(x, y, count);
        }
    }

    private static void copy(long x, long y, int count) {
        if (x != y) {
            MemorySegment.copy(ALL, x, ALL, y, 4L * count);
        }
    }

    /** NaN stays. */
    static FloatVector relu(FloatVector x) {
        return x.blend(0f, x.compare(LT, 0f));
    }

    static FloatVector leakyRelu(FloatVector x) {
        return x.mul((float) ActivationKind.LEAK).blend(x, x.compare(GT, 0f));
    }

    static FloatVector sigmoid(FloatVector x) {
        return VectorMath.sigmoid(x);
    }

    static FloatVector tanh(FloatVector x) {
        return VectorMath.tanh(x);
    }

    static FloatVector gelu(FloatVector x) {
        return x.mul(VectorMath.sigmoid(geluInner(x))).blend(-0f, x.compare(LT, VANISHES));
    }

    static FloatVector silu(FloatVector x) {
        return x.mul(VectorMath.sigmoid(x)).blend(-0f, x.compare(LT, VANISHES));
    }

    /** 2 c (x + 0.044715 x^3) with c = sqrt(2 / pi). */
    static FloatVector geluInner(FloatVector x) {
        FloatVector slope = x.mul(x)
                .lanewise(FMA, (float) (2 * ActivationKind.GELU_C * ActivationKind.GELU_CUBIC), Floats.all((float)
                        (2 * ActivationKind.GELU_C)));
        return x.mul(slope);
    }

    private static void relu(long x, long y, int count) {
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            Floats.store(y + 4L * i, relu(Floats.load(x + 4L * i)));
        }
        if (whole < count) {
            var tail = Floats.first(count - whole);
            Floats.store(y + 4L * whole, relu(Floats.load(x + 4L * whole, tail)), tail);
        }
    }

    private static void leakyRelu(long x, long y, int count) {
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            Floats.store(y + 4L * i, leakyRelu(Floats.load(x + 4L * i)));
        }
        if (whole < count) {
            var tail = Floats.first(count - whole);
            Floats.store(y + 4L * whole, leakyRelu(Floats.load(x + 4L * whole, tail)), tail);
        }
    }

    private static void sigmoid(long x, long y, int count) {
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            Floats.store(y + 4L * i, sigmoid(Floats.load(x + 4L * i)));
        }
        if (whole < count) {
            var tail = Floats.first(count - whole);
            Floats.store(y + 4L * whole, sigmoid(Floats.load(x + 4L * whole, tail)), tail);
        }
    }

    private static void tanh(long x, long y, int count) {
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            Floats.store(y + 4L * i, tanh(Floats.load(x + 4L * i)));
        }
        if (whole < count) {
            var tail = Floats.first(count - whole);
            Floats.store(y + 4L * whole, tanh(Floats.load(x + 4L * whole, tail)), tail);
        }
    }

    private static void gelu(long x, long y, int count) {
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            Floats.store(y + 4L * i, gelu(Floats.load(x + 4L * i)));
        }
        if (whole < count) {
            var tail = Floats.first(count - whole);
            Floats.store(y + 4L * whole, gelu(Floats.load(x + 4L * whole, tail)), tail);
        }
    }

    private static void silu(long x, long y, int count) {
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            Floats.store(y + 4L * i, silu(Floats.load(x + 4L * i)));
        }
        if (whole < count) {
            var tail = Floats.first(count - whole);
            Floats.store(y + 4L * whole, silu(Floats.load(x + 4L * whole, tail)), tail);
        }
    }
}
