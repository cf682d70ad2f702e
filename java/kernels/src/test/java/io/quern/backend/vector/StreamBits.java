package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.backend.Backend;
import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** What an op writes with its loop in machine code, past the caches and not, beside what its loop in Java writes. */
final class StreamBits {
    private static final float[] SPECIAL = {
        0f,
        -0f,
        1f,
        -1f,
        Float.NaN,
        Float.POSITIVE_INFINITY,
        Float.NEGATIVE_INFINITY,
        Float.MIN_VALUE,
        -Float.MIN_VALUE,
        Float.MAX_VALUE,
        Float.MIN_NORMAL,
        3.3895314e38f,
        3.4e38f,
        1.00390625f,
        1.01171875f
    };

    private StreamBits() {}

    static Tensor random(int stream, DType dtype, Shape shape) {
        try (Tensor values = Tensor.allocate(DType.F32, shape)) {
            Rng.of(23).stream(stream).fillUniform(values, -2, 2);
            for (int i = 0; i < values.elements(); i += 1 + i % 5) {
                values.set(i, SPECIAL[(i + stream) % SPECIAL.length]);
            }
            Tensor tensor = Tensor.allocate(dtype, shape);
            for (long i = 0; i < tensor.elements(); i++) {
                tensor.set(i, values.get(i));
            }
            return tensor;
        }
    }

    /** Small numbers alone: what is not would be in every element of sums. */
    static Tensor finite(int stream, Shape shape) {
        return Rng.of(23).stream(stream).fillUniform(Tensor.allocate(DType.F32, shape), -2, 2);
    }

    interface Call<A extends OpArgs> {
        A into(Tensor y);
    }

    /** Runs the op without machine code, then with it, past the caches and not, by one thread and by three, into a part of memory. */
    static <A extends OpArgs> void check(String name, Op<A> op, DType dtype, Shape shape, Call<A> call) {
        for (int offset : new int[] {64, 1}) { // elements before y: on a cache line, and not
            LazyCode.off = true;
            byte[] expected = bytes(op, dtype, shape, call, offset, Long.MAX_VALUE, 1);
            LazyCode.off = false;
            for (long from : new long[] {0, Long.MAX_VALUE}) {
                for (int threads : new int[] {1, 3}) {
                    byte[] found = bytes(op, dtype, shape, call, offset, from, threads);
                    int at = Arrays.mismatch(expected, found);
                    assertEquals(
                            -1,
                            at,
                            () -> "%s of %s from element %d by %d threads, past the caches from %d bytes on: byte %d"
                                    .formatted(name, shape, offset, threads, from, at));
                }
            }
        }
    }

    static <A extends OpArgs> byte[] bytes(
            Op<A> op, DType dtype, Shape shape, Call<A> call, int offset, long least, int threads) {
        long elements = shape.elements();
        StreamCode.least = least;
        try (Backend backend = VectorBackend.open(threads);
                Tensor memory = random(9, dtype, Shape.of(offset + elements + 64))) {
            backend.run(op, call.into(memory.slice(0, offset, offset + elements).reshape(shape)));
            byte[] bytes = new byte[Math.toIntExact(memory.elements() * dtype.bytes())];
            if (dtype == DType.F32) {
                oneNaN(memory);
            }
            MemorySegment.copy(ALL, ValueLayout.JAVA_BYTE, memory.address(), bytes, 0, bytes.length);
            return bytes;
        }
    }

    /** Which of two NaN an operation passes on, the Java compiler is free to choose. */
    static void oneNaN(Tensor memory) {
        for (long i = 0; i < memory.elements(); i++) {
            if (Double.isNaN(memory.get(i))) {
                memory.set(i, Double.NaN);
            }
        }
    }
}
