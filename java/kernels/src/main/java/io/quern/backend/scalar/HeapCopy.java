package io.quern.backend.scalar;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A reused float array that tensors are copied through: loops over arrays are what the JIT compiler vectorises. */
final class HeapCopy {
    private float[] values = new float[0];

    /** An array of at least {@code elements}, with unspecified contents. */
    float[] ofSize(long elements) {
        if (values.length < elements) {
            values = new float[Math.toIntExact(elements)];
        }
        return values;
    }

    /** The elements of a contiguous F32 tensor. */
    float[] of(Tensor tensor) {
        float[] copy = ofSize(tensor.elements());
        read(tensor.address(), copy, 0, (int) tensor.elements());
        return copy;
    }

    static void read(long address, float[] target, int offset, int count) {
        MemorySegment.copy(ALL, ValueLayout.JAVA_FLOAT_UNALIGNED, address, target, offset, count);
    }

    static void write(float[] source, int offset, int count, long address) {
        MemorySegment.copy(source, offset, ALL, ValueLayout.JAVA_FLOAT_UNALIGNED, address, count);
    }
}
