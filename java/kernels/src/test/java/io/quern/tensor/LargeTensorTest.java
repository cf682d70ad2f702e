package io.quern.tensor;

import static io.quern.tensor.ShapeTest.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.backend.ffi.NativeMemory;
import io.quern.op.Cast;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tensors of more than 2^31 elements, over a mapped file of which only the touched pages exist: 4 GiB of addresses, a few
 * KiB of memory.
 */
class LargeTensorTest {
    private static final long ELEMENTS = (1L << 31) + 16;

    @TempDir
    private Path directory;

    private final Arena arena = Arena.ofShared();
    private Tensor tensor;

    @BeforeEach
    void map() {
        try (RandomAccessFile file =
                new RandomAccessFile(directory.resolve("sparse").toFile(), "rw")) {
            file.setLength(2 * ELEMENTS);
            MemorySegment mapped = file.getChannel().map(FileChannel.MapMode.READ_WRITE, 0, 2 * ELEMENTS, arena);
            tensor = Tensor.over(new Mapped(mapped), DType.BF16, Shape.of(ELEMENTS));
        } catch (IOException | OutOfMemoryError e) {
            Assumptions.abort("no sparse mapping of 4 GiB here: " + e);
        }
    }

    @AfterEach
    void unmap() {
        arena.close();
    }

    private record Mapped(MemorySegment segment) implements Storage {
        @Override
        public long address() {
            return segment.address();
        }

        @Override
        public long byteSize() {
            return segment.byteSize();
        }

        @Override
        public Memory memory() {
            return Memory.host();
        }

        @Override
        public boolean isOpen() {
            return segment.scope().isAlive();
        }

        @Override
        public void close() {}
    }

    @Test
    void reachesItsLastElement() {
        tensor.set(ELEMENTS - 1, 3);
        assertEquals(3, tensor.get(ELEMENTS - 1));
        assertEquals(BFloat16.fromFloat(3), bitsAt(ELEMENTS - 1));
        assertRefused("is outside BF16[2147483664]", () -> tensor.get(ELEMENTS));
        assertRefused("more elements than an array can hold", tensor::toFloats);
    }

    @Test
    void slicesBeyondTheIntRange() {
        Tensor tail = tensor.slice(0, 1L << 31, ELEMENTS);
        assertEquals(tensor.address() + (1L << 32), tail.address());
        tail.fill(5);
        assertEquals(BFloat16.fromFloat(5), bitsAt(1L << 31));
        assertEquals(0, bitsAt((1L << 31) - 1));
    }

    @Test
    void findsElementsThroughStrides() {
        Tensor columns = tensor.reshape(2, ELEMENTS / 2).permute(1, 0);
        columns.set(ELEMENTS - 1, 7);
        columns.set(ELEMENTS - 3, 9);
        assertEquals(BFloat16.fromFloat(7), bitsAt(ELEMENTS - 1));
        assertEquals(BFloat16.fromFloat(9), bitsAt(ELEMENTS - 2));
        assertEquals(9, columns.get(ELEMENTS - 3));
    }

    @Test
    void feedsKernelsFromBeyondTheIntRange() {
        Tensor tail = tensor.slice(0, ELEMENTS - 40, ELEMENTS);
        int[] next = {0};
        tail.fill(() -> next[0]++);
        float[] expected = new float[40];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = i;
        }
        try (Backend backend = Backends.best(1);
                Tensor y = Tensor.allocate(DType.F32, Shape.of(40))) {
            backend.run(Cast.OP, new Cast.Args(tail, y));
            assertArrayEquals(expected, y.toFloats());
        }
    }

    private short bitsAt(long element) {
        return NativeMemory.ALL.get(ValueLayout.JAVA_SHORT, tensor.address() + 2 * element);
    }
}
