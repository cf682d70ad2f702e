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
    /** More than a call takes of 64 columns. */
    private static final int ROWS = 300;

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

    /** Sums alone, with others on both sides, of some of the columns, by several calls. */
    @Test
    void keepsToItsColumns() {
        for (ChannelSumsCode code : ChannelSumsCode.values()) {
            for (int columns : new int[] {16, 64, 128}) {
                if (columns >= 64 || code.name().startsWith("ROW")) {
                    keepsTo(columns, code);
                }
            }
        }
    }

    private static void keepsTo(int columns, ChannelSumsCode code) {
        String what = code + " of " + columns + " columns";
        assertEquals(columns, code.columns(ROWS, columns), what);
        boolean gradients = code.name().endsWith("GRADIENTS"), floats = code == ChannelSumsCode.ROW_GRADIENTS;
        int stride = columns + 3, before = 72, bytes = floats ? Float.BYTES : Double.BYTES;
        long means = before + 2L * bytes * columns, end = means + (gradients ? 4L * columns : 0);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = random(arena, ROWS * stride, 1, 0), dy = random(arena, ROWS * stride, 2, 0);
            MemorySegment memory = arena.allocate(end + 64, 64).fill((byte) 7);
            double[] expected = new double[2 * columns];
            for (int i = 0; i < 2 * columns; i++) {
                expected[i] = i * 0.375 - 9;
                put(memory, before, i, floats, expected[i]);
            }
            for (int c = 0; gradients && c < columns; c++) {
                memory.set(ValueLayout.JAVA_FLOAT, means + 4L * c, mean(c));
            }
            for (int r = 0; r < ROWS; r++) {
                for (int c = 0; c < columns; c++) {
                    float value = x.getAtIndex(ValueLayout.JAVA_FLOAT, (long) r * stride + c);
                    float signal = dy.getAtIndex(ValueLayout.JAVA_FLOAT, (long) r * stride + c);
                    int second = columns + c;
                    if (!gradients) {
                        expected[c] += value;
                        expected[second] = Math.fma((double) value, value, expected[second]);
                    } else if (floats) {
                        expected[c] = (float) expected[c] + signal;
                        expected[second] = Math.fma(value - mean(c), signal, (float) expected[second]);
                    } else {
                        expected[c] += signal;
                        expected[second] = Math.fma((double) value - mean(c), signal, expected[second]);
                    }
                }
            }
            code.add(x.address(), gradients ? dy.address() : 0, stride, ROWS, columns, memory.address() + before);
            for (int i = 0; i < 2 * columns; i++) {
                assertEquals(expected[i], sum(memory, before, i, floats), what + ", sum " + i);
            }
            for (int c = 0; gradients && c < columns; c++) {
                assertEquals(mean(c), memory.get(ValueLayout.JAVA_FLOAT, means + 4L * c), what + ", mean " + c);
            }
            for (long i = 0; i < memory.byteSize(); i = i == before - 1 ? end : i + 1) {
                assertEquals(7, memory.get(ValueLayout.JAVA_BYTE, i), what + ", byte " + (i - before));
            }
        }
    }

    private static float mean(int column) {
        return column % 7 * 0.25f - 0.5f;
    }

    private static void put(MemorySegment memory, long before, int i, boolean floats, double value) {
        if (floats) {
            memory.set(ValueLayout.JAVA_FLOAT, before + 4L * i, (float) value);
        } else {
            memory.set(ValueLayout.JAVA_DOUBLE, before + 8L * i, value);
        }
    }

    private static double sum(MemorySegment memory, long before, int i, boolean floats) {
        return floats
                ? memory.get(ValueLayout.JAVA_FLOAT, before + 4L * i)
                : memory.get(ValueLayout.JAVA_DOUBLE, before + 8L * i);
    }

    /** @param special how many elements there are to one that is special; 0: none is */
    private static void compare(int rows, int channels, int special, int threads) {
        long elements = (long) rows * channels;
        float[] mean = new float[channels];
        for (int c = 0; c < channels; c++) {
            mean[c] = mean(c);
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
