package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * Floats at absolute addresses. A kernel's last, partial vector runs under the mask {@link #first}: the same operations
 * as in the loop before it, so an element's bits do not depend on where it lies.
 */
final class Floats {
    private Floats() {}

    static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(Lanes.F, ALL, address, Lanes.ORDER);
    }

    /** Lanes outside the mask are 0 and their memory is not read. */
    static FloatVector load(long address, VectorMask<Float> mask) {
        return FloatVector.fromMemorySegment(Lanes.F, ALL, address, Lanes.ORDER, mask);
    }

    static void store(long address, FloatVector vector) {
        vector.intoMemorySegment(ALL, address, Lanes.ORDER);
    }

    static void store(long address, FloatVector vector, VectorMask<Float> mask) {
        vector.intoMemorySegment(ALL, address, Lanes.ORDER, mask);
    }

    static FloatVector all(float value) {
        return FloatVector.broadcast(Lanes.F, value);
    }

    /** The first {@code count} lanes; none if it is negative, all if it is large. */
    static VectorMask<Float> first(int count) {
        return Lanes.F.indexInRange(0, count);
    }

    /** The part of {@code count} that fills whole vectors. */
    static int whole(int count) {
        return count & -Lanes.FLOATS;
    }

    static float get(long address) {
        return ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, address);
    }

    static void set(long address, float value) {
        ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, address, value);
    }
}
