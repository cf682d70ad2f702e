package io.quern.backend.vector;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** Floats from -1 to 1, of which one in some is a special one: a zero, not finite, a denormal number, the greatest. */
final class RandomFloats {
    private static final float[] SPECIAL = {
        -0f, 0f, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.MIN_VALUE, -1e-40f, Float.MAX_VALUE
    };

    private final SplittableRandom random;
    private final int some;

    RandomFloats(SplittableRandom random, int some) {
        this.random = random;
        this.some = some;
    }

    private float next() {
        boolean rare = random.nextInt(some) == 0;
        return rare ? SPECIAL[random.nextInt(SPECIAL.length)] : (float) random.nextDouble(-1, 1);
    }

    MemorySegment memory(Arena arena, int count) {
        MemorySegment memory = arena.allocate(4L * count, 4);
        for (int i = 0; i < count; i++) {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, next());
        }
        return memory;
    }

    Tensor tensor(Shape shape) {
        Tensor tensor = Tensor.allocate(DType.F32, shape);
        for (long i = 0; i < tensor.elements(); i++) {
            tensor.set(i, next());
        }
        return tensor;
    }
}
