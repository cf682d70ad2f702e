package io.quern.backend.vector;

import static jdk.incubator.vector.VectorOperators.FMA;
import static jdk.incubator.vector.VectorOperators.GT;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.ActivationBackward;
import io.quern.op.ActivationKind;
import jdk.incubator.vector.FloatVector;

/** dx = dy f'(saved). One loop per function, as in {@link ActivationVector}. */
final class ActivationBackwardVector implements Kernel<ActivationBackward.Args> {
    /** Beyond this the slopes of GELU and SILU are 0 and 1 in float; x (1 - s(x)) would be infinity times 0. */
    private static final float FLAT = 110f;

    private final WorkerPool pool;

    ActivationBackwardVector(WorkerPool pool) {
        this.pool = pool;
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
        ActivationKind kind = args.kind();
        Ranges.run(pool, args.dx().elements(), (from, count) -> {
            long at = 4 * from;
            apply(kind, saved + at, dy + at, dx + at, count);
        });
    }

    /** A run of elements, also for the gradients of fused kernels. dx may be dy or saved. */
    static void apply(ActivationKind kind, long saved, long dy, long dx, int count) {
        switch (kind) {
            case NONE -> ActivationVector.apply(kind, dy, dx, count);
            case RELU -> relu(saved, dy, dx, count);
            case LEAKY_RELU -> leakyRelu(saved, dy, dx, count);
            case SIGMOID -> sigmoid(saved, dy, dx, count);
            case TANH -> tanh(saved, dy, dx, count);
            case GELU -> gelu(saved, dy, dx, count);
            case SILU -> silu(saved, dy, dx, count);
        }
    }

    private static FloatVector relu(FloatVector y) {
        return Floats.all(0).blend(1f, y.compare(GT, 0f));
    }

    private static FloatVector leakyRelu(FloatVector y) {
        return Floats.all((float) ActivationKind.LEAK).blend(1f, y.compare(GT, 0f));
    }

    /** y (1 - y). */
    private static FloatVector sigmoid(FloatVector y) {
        return y.mul(Floats.all(1).sub(y));
    }

    /** 1 - y^2. */
    private static FloatVector tanh(FloatVector y) {
        return y.neg().lanewise(FMA, y, 1f);
    }

    /** s + x s (1 - s) times the slope of the argument of s. */
    private static FloatVector gelu(FloatVector input) {
        FloatVector x = input.max(-FLAT).min(FLAT);
        FloatVector s = VectorMath.sigmoid(ActivationVector.geluInner(x));
        FloatVector slope = x.mul(x)
                .lanewise(FMA, (float) (6 * ActivationKind.GELU_C * ActivationKind.GELU_CUBIC), Floats.all((float)
                        (2 * ActivationKind.GELU_C)));
        return x.mul(slope).mul(Floats.all(1).sub(s)).fma(s, s);
    }

    /** s (1 + x (1 - s)). */
    private static FloatVector silu(FloatVector input) {
        FloatVector x = input.max(-FLAT).min(FLAT);
        FloatVector s = VectorMath.sigmoid(x);
        return Floats.all(1).sub(s).mul(x).fma(s, s);
    }

    private static void relu(long saved, long dy, long dx, int count) {
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            long at = 4L * i;
            Floats.store(dx + at, relu(Floats.load(saved + at)).mul(Floats.load(dy + at)));
        }
        if (whole < count) {
            long at = 4L * whole;
            var tail = Floats.first(count - whole);
            Floats.store(dx + at, relu(Floats.load(saved + at, tail)).mul(Floats.load(dy + at, tail)), tail);
        }
    }

    private static void leakyRelu(long saved, long dy, long dx, int count) {
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            long at = 4L * i;
            Floats.store(dx + at, leakyRelu(Floats.load(saved + at)).mul(Floats.load(dy + at)));
        }
        if (whole < count) {
            long at = 4L * whole;
            var tail = Floats.first(count - whole);
            Floats.store(dx + at, leakyRelu(Floats.load(saved + at, tail)).mul(Floats.load(dy + at, tail)), tail);
        }
    }

    private static void sigmoid(long saved, long dy, long dx, int count) {
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            long at = 4L * i;
            Floats.store(dx + at, sigmoid(Floats.load(saved + at)).mul(Floats.load(dy + at)));
        }
        if (whole < count) {
            long at = 4L * whole;
            var tail = Floats.first(count - whole);
            Floats.store(dx + at, sigmoid(Floats.load(saved + at, tail)).mul(Floats.load(dy + at, tail)), tail);
        }
    }

    private static void tanh(long saved, long dy, long dx, int count) {
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            long at = 4L * i;
            Floats.store(dx + at, tanh(Floats.load(saved + at)).mul(Floats.load(dy + at)));
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
            Floats.store(dx + at, gelu(Floats.load(saved + at)).mul(Floats.load(dy + at)));
        }
        if (whole < count) {
            long at = 4L * whole;
            var tail = Floats.first(count - whole);
            Floats.store(dx + at, gelu(Floats.load(saved + at, tail)).mul(Floats.load(dy + at, tail)), tail);
        }
    }

    private static void silu(long saved, long dy, long dx, int count) {
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            long at = 4L * i;
            Floats.store(dx + at, silu(Floats.load(saved + at)).mul(Floats.load(dy + at)));
        }
        if (whole < count) {
            long at = 4L * whole;
            var tail = Floats.first(count - whole);
            Floats.store(dx + at, silu(Floats.load(saved + at, tail)).mul(Floats.load(dy + at, tail)), tail);
        }
    }
}
