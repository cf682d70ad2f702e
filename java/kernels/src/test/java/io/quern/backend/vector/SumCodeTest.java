package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SumCodeTest {
    private static final float[] SPECIAL = {
        Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, -0f, 0f, Float.MIN_VALUE, 1e38f, -1e38f
    };

    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(() -> SumCode.takes(1000, 1000), "sums");
    }

    @Test
    void sumsColumns() {
        for (int rows : new int[] {1, 3, 7, 8, 9, 31, 64, 100}) {
            for (int columns : new int[] {1, 5, 15, 16, 17, 48, 100, 1000}) {
                columns(rows, columns, columns + rows % 3);
            }
        }
        columns(3001, 33, 33);
        columns(16_384, 6, 6);
        columns(1024, 6, 6);
        columns(2051, 17, 1040);
        columns(40, 2048, 2050);
    }

    @Test
    void sumsRows() {
        for (int rows : new int[] {1, 2, 3, 9}) {
            for (int elements : new int[] {1, 15, 64, 65, 100, 127, 1000, 40_000}) {
                rows(rows, elements, false);
                rows(rows, elements, true);
            }
        }
    }

    private static void columns(int rows, int columns, int stride) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = random(arena, (rows - 1) * stride + columns, rows * 7919L + columns);
            MemorySegment y = random(arena, columns + 17, 1), expected = random(arena, columns + 17, 1);
            Copies.zero(y.address() + 4, 4L * columns);
            SumCode.columns(x.address(), 4L * stride, rows, columns, y.address() + 4);
            ReduceColumns.plain(x.address(), stride, rows, columns, expected.address() + 4, false);
            assertEquals(-1, mismatch(y, expected), () -> "%d rows, %d columns".formatted(rows, columns));
        }
    }

    /** @param onto whether the result replaces the first row */
    private static void rows(int rows, int elements, boolean onto) {
        int stride = elements + 3;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = random(arena, rows * stride, rows * 7919L + elements);
            MemorySegment same = random(arena, rows * stride, rows * 7919L + elements);
            MemorySegment y = onto ? x : random(arena, elements + 17, 1);
            MemorySegment expected = onto ? same : random(arena, elements + 17, 1);
            SumCode.rows(x.address(), x.address() + 4L * stride, 4L * stride, rows - 1, y.address(), elements);
            Sums.plain(same.address(), 4L * stride, rows, expected.address(), elements);
            assertEquals(
                    -1,
                    mismatch(y, expected),
                    () -> "%d rows of %d, onto the first: %b".formatted(rows, elements, onto));
        }
    }

    /** Where the bits differ, all NaN being the same: which of two is passed on, the kernel in Java leaves to the compiler. */
    private static long mismatch(MemorySegment a, MemorySegment b) {
        for (long i = 0; i < a.byteSize() / 4; i++) {
            if (Float.floatToIntBits(a.getAtIndex(ValueLayout.JAVA_FLOAT, i))
                    != Float.floatToIntBits(b.getAtIndex(ValueLayout.JAVA_FLOAT, i))) {
                return i;
            }
        }
        return -1;
    }

    private static MemorySegment random(Arena arena, long floats, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        MemorySegment memory = arena.allocate(4 * floats, 4);
        for (long i = 0; i < floats; i++) {
            int special = random.nextInt(1000);
            float value = special < SPECIAL.length ? SPECIAL[special] : (float) random.nextGaussian();
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
        }
        return memory;
    }
}
