package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.WorkerPool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Products of random shapes around the sizes of tiles, panels, blocks and tasks, operands between NaNs. */
class GemmTest {
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT;
    private static final int GUARD = 64;
    private static final float KEPT = 12345.678f;

    /** A matrix of rows {@code gap} elements longer than wide; what is between and around them must not be used. */
    private record Matrix(MemorySegment memory, int rows, int columns, int stride) {
        static Matrix of(Arena arena, int rows, int columns, int gap, float around) {
            int stride = columns + gap;
            MemorySegment memory = arena.allocate(4L * (2 * GUARD + (long) rows * stride), 64);
            for (long i = 0; i < memory.byteSize() / 4; i++) {
                memory.setAtIndex(F, i, around);
            }
            return new Matrix(memory, rows, columns, stride);
        }

        Matrix random(SplittableRandom random) {
            for (int i = 0; i < rows; i++) {
                for (int j = 0; j < columns; j++) {
                    set(i, j, (float) random.nextDouble(-1, 1));
                }
            }
            return this;
        }

        float get(int i, int j) {
            return memory.getAtIndex(F, GUARD + (long) i * stride + j);
        }

        void set(int i, int j, float value) {
            memory.setAtIndex(F, GUARD + (long) i * stride + j, value);
        }

        long address() {
            return memory.address() + 4L * GUARD;
        }

        long untouched() {
            long count = 0;
            for (long i = 0; i < memory.byteSize() / 4; i++) {
                count += memory.getAtIndex(F, i) == KEPT ? 1 : 0;
            }
            return count;
        }
    }

    private record Problem(int m, int n, int k, boolean ta, boolean tb, int gap, float alpha, float beta) {}

    /**
     * Rows of A a multiple of 4 KiB apart, which other tiles take; long sums of two operands that lie along m and n, some in
     * chunks, some in tiles of three vectors, some from memory; operands that one thread, too, reads in place; last one that three
     * threads read in place and one thread packs.
     */
    private static final List<Problem> SPECIAL = List.of(
            new Problem(43, 13, 1024, false, false, 0, 1, 0.5f),
            new Problem(43, 70, 1030, true, false, 2, -0.5f, 0.5f),
            new Problem(11, 64, 800, true, false, 0, 1, 0),
            new Problem(6, 130, 770, true, false, 1, 1, 1),
            new Problem(16, 64, 900, true, false, 1, 0, 0.5f),
            new Problem(70, 300, 2100, true, false, 1, -0.5f, 0),
            new Problem(16, 96, 2100, true, false, 0, 1, 0),
            new Problem(24, 144, 1030, true, false, 1, -0.5f, 0.5f),
            new Problem(192, 32, 2600, true, false, 2, 1, 0),
            new Problem(264, 288, 1100, true, false, 1, -0.5f, 0),
            new Problem(16, 96, 38_000, true, false, 0, 1, 0),
            new Problem(96, 16, 38_000, true, false, 0, 1, 0),
            new Problem(260, 66, 1600, true, false, 0, 1, 0),
            new Problem(43, 96, 1030, false, false, 1, -0.5f, 0.5f),
            new Problem(13, 144, 70, true, true, 0, 1, 0),
            new Problem(200, 240, 40, false, false, 2, 1, 1),
            new Problem(300, 96, 600, true, false, 0, 1, 0),
            new Problem(70, 22, 1600, true, false, 2, -0.5f, 0),
            new Problem(32, 13, 2100, true, false, 1, -0.5f, 0),
            new Problem(261, 256, 70, true, false, 0, -0.5f, 0.5f),
            new Problem(259, 304, 600, true, false, 0, 1, 0),
            new Problem(199, 208, 530, false, false, 0, 1, 1),
            new Problem(67, 141, 600, false, false, 1, -0.5f, 0),
            new Problem(67, 257, 3000, false, false, 1, -0.5f, 0.5f));

    private static int size(SplittableRandom random, int... around) {
        return Math.max(1, around[random.nextInt(around.length)] + random.nextInt(-3, 4));
    }

    private static Problem problem(SplittableRandom random) {
        return new Problem(
                size(random, 2, 4, 8, 16, 48, 66, 193, 198, 260, 520),
                size(random, 4, 16, 24, 32, 48, 64, 100, 130, 260),
                size(random, 1, 4, 16, 40, 65, random.nextInt(10) == 0 ? 1030 : 100),
                random.nextBoolean(),
                random.nextBoolean(),
                random.nextInt(3),
                random.nextBoolean() ? 1 : -0.5f,
                random.nextInt(3) * 0.5f);
    }

    private static void multiply(
            Problem p, Matrix a, Matrix b, boolean packed, Matrix c, WorkerPool pool, Map<Thread, MemorySegment> own) {
        Scratch scratch = bytes -> {
            synchronized (own) {
                MemorySegment memory = own.get(Thread.currentThread());
                if (memory == null || memory.byteSize() < bytes) {
                    memory = Arena.ofAuto().allocate(bytes, 64);
                    own.put(Thread.currentThread(), memory);
                }
                return memory.address();
            }
        };
        GemmPanels rows = GemmPanels.rows(a.address(), p.ta ? 1 : a.stride, p.ta ? a.stride : 1);
        GemmPanels columns = GemmPanels.columns(b.address(), p.tb ? 1 : b.stride, p.tb ? b.stride : 1);
        try (GemmPacked once = packed ? GemmPacked.of(columns, p.n, p.k) : null) {
            Gemm.multiply(
                    p.m, p.n, p.k, p.alpha, rows, columns, once, p.beta, c.address(), c.stride, null, scratch, pool);
        }
    }

    @Test
    void equalsTheSumInDoubleAndHasTheSameBitsWithThreads() {
        Map<Thread, MemorySegment> own = new HashMap<>();
        try (WorkerPool pool = new WorkerPool(3)) {
            for (int seed = 0; seed < 200; seed++) {
                SplittableRandom random = new SplittableRandom(seed);
                Problem p = seed < SPECIAL.size() ? SPECIAL.get(seed) : problem(random);
                boolean packed = random.nextInt(3) == 0 && seed >= SPECIAL.size();
                String name = "seed " + seed + ": " + p + (packed ? ", b packed once" : "");
                try (Arena arena = Arena.ofConfined()) {
                    Matrix a = Matrix.of(arena, p.ta ? p.k : p.m, p.ta ? p.m : p.k, p.gap, Float.NaN)
                            .random(random);
                    Matrix b = Matrix.of(arena, p.tb ? p.n : p.k, p.tb ? p.k : p.n, p.gap, Float.NaN)
                            .random(random);
                    Matrix before = Matrix.of(arena, p.m, p.n, p.gap, KEPT).random(new SplittableRandom(~seed));
                    Matrix one = Matrix.of(arena, p.m, p.n, p.gap, KEPT).random(new SplittableRandom(~seed));
                    Matrix three = Matrix.of(arena, p.m, p.n, p.gap, KEPT).random(new SplittableRandom(~seed));
                    multiply(p, a, b, packed, one, null, own);
                    multiply(p, a, b, packed, three, pool, own);
                    for (int i = 0; i < p.m; i++) {
                        for (int j = 0; j < p.n; j++) {
                            double sum = 0, size = 0;
                            for (int q = 0; q < p.k; q++) {
                                double term = (double) (p.ta ? a.get(q, i) : a.get(i, q))
                                        * (p.tb ? b.get(j, q) : b.get(q, j));
                                sum += term;
                                size += Math.abs(term);
                            }
                            double expected = p.alpha * sum + p.beta * before.get(i, j);
                            double bound = (p.k + 4) * 0x1p-24 * (size + 1);
                            int row = i, column = j;
                            float got = one.get(i, j);
                            assertTrue(
                                    Math.abs(expected - got) <= bound,
                                    () -> name + " at " + row + ", " + column + ": " + got + ", expected " + expected);
                            assertEquals(
                                    Float.floatToRawIntBits(got),
                                    Float.floatToRawIntBits(three.get(i, j)),
                                    () -> name + " at " + row + ", " + column + ": other bits with three threads");
                        }
                    }
                    assertEquals(before.untouched(), one.untouched(), name + ": written beside c");
                    assertEquals(before.untouched(), three.untouched(), name + ": written beside c by threads");
                }
            }
        }
    }
}
