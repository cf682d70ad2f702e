package io.quern.backend.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;

/**
 * Sums over the lanes of a vector in one fixed order. {@code reduceLanes} leaves the order open, and the interpreter's
 * is not the compiler's: a warm JVM would give other bits than a cold one.
 */
final class Horizontal {
    private static final VectorShuffle<Float> BY_8 = swap(8);
    private static final VectorShuffle<Float> BY_4 = swap(4);
    private static final VectorShuffle<Float> BY_2 = swap(2);
    private static final VectorShuffle<Float> BY_1 = swap(1);

    private Horizontal() {}

    private static VectorShuffle<Float> swap(int distance) {
        return VectorShuffle.fromOp(Lanes.F, lane -> (lane ^ distance) % Lanes.FLOATS);
    }

    /** The lanes' sum, halves first: (0 + 8) + (4 + 12) and so on. */
    static float sum(FloatVector vector) {
        FloatVector v = vector;
        if (Lanes.FLOATS > 8) {
            v = v.add(v.rearrange(BY_8));
        }
        if (Lanes.FLOATS > 4) {
            v = v.add(v.rearrange(BY_4));
        }
        v = v.add(v.rearrange(BY_2));
        return v.add(v.rearrange(BY_1)).lane(0);
    }
}
