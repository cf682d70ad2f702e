package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.backend.WorkerPool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Sums per channel in machine code have the bits of those in Java. */
class ChannelSumsCodeTest {
    /** Floats before what is summed, so that it lies off a cache line. */
    private static final int OFFSET = 3;

    private static final float[] SPECIAL = {
        Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, -0f, Float.MIN_VALUE, 3e38f, -3e38f, 1e-40f
    };

    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(() -> ChannelSumsCode.MOMENTS.columns(100, 64) == 64, "sums per channel");
    }

    @AfterEach
    void on() {
        LazyCode.off = false;
    }

    @Test
    void folds() {
        for (int channels : new int[] {1, 3, 16, 24, 64, 65}) {
            for (int rows : new int[] {1, 7, 64, 1001}) {
                compare(rows, channels, 0, 1);
            }
        }
        compare(20_003, 16, 0, 1);
        compare(20_003, 16, 0, 2);
        compare(20_000, 16, 1000, 1);
    }

    @Test
    void goesByRows() {
        for (int channels : new int[] {128, 256, 300, 511, 640, 1100}) {
            for (int rows : new int[] {1, 2, 5, 67, 130}) {
                compare(rows, channels, 0, 1);
            }
        }
        compare(131_072, 16, 0, 2);
        compare(500, 256, 1000, 1);
        compare(2000, 128, 100_000, 2);
    }

    /** Sums alone, which end at others. */
    @Test
    void keepsToItsColumns() {
        int columns = 128, rows = 9, stride = 131, sums = 2 * columns;
        for (ChannelSumsCode code : ChannelSumsCode.values()) {
            int bytes = code == ChannelSumsCode.ROW_GRADIENTS ? 4 : 8;
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment x = random(arena, rows * stride, 1, 0), dy = random(arena, rows * stride, 2, 0);
                MemorySegment memory = arena.allocate((long) bytes * sums + 4 * columns + 64, 8);
                memory.asSlice((long) bytes * sums).fill((byte) 7);
                code.add(x.address(), dy.address(), stride, rows, columns, memory.address());
                for (long i = (long) bytes * sums; i < memory.byteSize(); i++) {
                    assertEquals(7, memory.get(ValueLayout.JAVA_BYTE, i), code + ", byte " + i);
                }
                double sum = 0;
                for (int r = 0; r < rows; r++) {
                    sum += (code.name().endsWith("MOMENTS") ? x : dy)
                            .getAtIndex(ValueLayout.JAVA_FLOAT, (long) r * stride + columns - 1);
                }
                long last = (long) bytes * (columns - 1);
                double found = bytes == 4
                        ? memory.get(ValueLayout.JAVA_FLOAT, last)
                        : memory.get(ValueLayout.JAVA_DOUBLE, last);
                assertEquals(sum, found, 1e-5, code + ", last column");
            }
        }
    }

    /** @param special how many elements there are to one that is special; 0: none is */
    private static void compare(int rows, int channels, int special, int threads) {
        long elements = (long) rows * channels;
        float[] mean = new float[channels];
        for (int c = 0; c < channels; c++) {
            mean[c] = c % 7 * 0.25f - 0.5f;
        }
        try (Arena arena = Arena.ofConfined();
                WorkerPool pool = new WorkerPool(threads)) {
            Scratch scratch = new ThreadScratch();
            long x = random(arena, elements, elements, special).address() + 4 * OFFSET;
            long dy = random(arena, elements, elements + 1, special).address() + 4 * OFFSET;
            String what =
                    "%d rows of %d channels, special 1 in %d, %d threads: ".formatted(rows, channels, special, threads);
            compare(what + "moments", () -> ChannelMoments.of(pool, scratch, x, rows, channels));
            compare(what + "gradients", () -> ChannelGradients.of(pool, scratch, x, dy, mean, rows));
        }
    }

    private static void compare(String what, Supplier<double[]> sums) {
        LazyCode.off = false;
        long[] code = bits(sums.get());
        LazyCode.off = true;
        long[] java = bits(sums.get());
        LazyCode.off = false;
        assertArrayEquals(java, code, what);
    }

    /** Any NaN as one, since which of two an operation passes on is the compiler's choice. */
    private static long[] bits(double[] values) {
        return Arrays.stream(values).mapToLong(Double::doubleToLongBits).toArray();
    }

    private static MemorySegment random(Arena arena, long floats, long seed, int special) {
        SplittableRandom random = new SplittableRandom(seed);
        MemorySegment memory = arena.allocate(4 * (floats + OFFSET), 64);
        for (long i = 0; i < floats + OFFSET; i++) {
            boolean rare = special > 0 && random.nextInt(special) == 0;
            float value = rare ? SPECIAL[random.nextInt(SPECIAL.length)] : (float) random.nextGaussian();
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
        }
        return memory;
    }
}
