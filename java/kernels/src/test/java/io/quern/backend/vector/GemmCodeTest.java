package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.backend.WorkerPool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tiles in machine code write the bits of the kernels in Java, and nothing beside their columns. */
class GemmCodeTest {
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT;
    private static final int MOST = 70;

    private long least;

    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(() -> GemmCode.of(GemmTile.SLIM) != null, "tiles");
        least = StreamCode.least;
    }

    @AfterEach
    void bound() {
        if (least != 0) {
            StreamCode.least = least;
        }
    }

    /** Some tiles of one panel: A packed or in place, rows of C apart. */
    private record Problem(
            GemmTile tile, int tiles, int kc, int columns, boolean packed, GemmCode.Storing storing, float alpha) {
        long rowA() {
            return packed ? Float.BYTES : Float.BYTES * (kc + 3L);
        }

        long deepA() {
            return packed ? (long) Float.BYTES * tile.rows : Float.BYTES;
        }

        long next() {
            return packed ? (long) Float.BYTES * tile.rows * kc : tile.rows * rowA();
        }

        /** Rows of C are whole cache lines where they must be. */
        long rowC() {
            return storing == GemmCode.Storing.STREAM ? 384 : 4L * (columns + 5);
        }
    }

    @Test
    void equalsTheKernels() {
        SplittableRandom random = new SplittableRandom(11);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment a = random(arena, 4 * 16 * (MOST + 3), random);
            MemorySegment b = random(arena, 64 * MOST, random);
            MemorySegment c = random(arena, 4 * 16 * 96 + 32, random);
            for (GemmTile tile : GemmTile.values()) {
                for (int kc : new int[] {1, 2, 3, 16, MOST}) {
                    for (int tiles : new int[] {1, 4}) {
                        for (int less = 0; less < Lanes.FLOATS; less += less == 0 ? 1 : 7) {
                            for (boolean packed : new boolean[] {true, false}) {
                                for (GemmCode.Storing storing : GemmCode.Storing.values()) {
                                    if (less == 0 || storing != GemmCode.Storing.STREAM) {
                                        int columns = tile.columns - less;
                                        float alpha = kc == 3 ? -0.37f : 1;
                                        check(a, b, c, new Problem(tile, tiles, kc, columns, packed, storing, alpha));
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private static void check(MemorySegment a, MemorySegment b, MemorySegment c, Problem problem) {
        float[] expected = run(a, b, c, problem, false), found = run(a, b, c, problem, true);
        int at = Arrays.mismatch(expected, found);
        assertEquals(-1, at, () -> problem + ": float " + at + " is " + found[at] + ", expected " + expected[at]);
    }

    /** All of C's memory after it. */
    private static float[] run(MemorySegment a, MemorySegment b, MemorySegment c, Problem problem, boolean coded) {
        GemmTile tile = problem.tile;
        int alpha = Float.floatToRawIntBits(problem.alpha), kc = problem.kc;
        long bs = (long) Float.BYTES * tile.columns;
        boolean add = problem.storing == GemmCode.Storing.ADD;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = arena.allocate(c.byteSize(), Lanes.LINE).copyFrom(c);
            long scratch = arena.allocate(GemmTile.SCRATCH, Lanes.LINE).address();
            long to = result.address() + Lanes.LINE;
            if (coded) {
                long argument = GemmTile.argument(scratch);
                GemmCode.prepare(
                        argument, kc, problem.rowA(), problem.deepA(), problem.next(), bs, problem.rowC(), alpha);
                if (kc % 2 == 0) {
                    GemmCode.ahead(argument, -4096, 1L << 40, 4L * tile.rows, Long.MAX_VALUE - to);
                }
                GemmCode.of(tile)
                        .run(argument, a.address(), b.address(), to, problem.columns, problem.tiles, problem.storing);
            } else {
                for (int i = 0; i < problem.tiles; i++) {
                    long from = a.address() + i * problem.next(), at = to + i * tile.rows * problem.rowC();
                    tile.edge(
                            tile.rows,
                            problem.columns,
                            0,
                            0,
                            GemmTile.PADDED,
                            kc,
                            from,
                            problem.rowA(),
                            problem.deepA(),
                            b.address(),
                            bs,
                            at,
                            problem.rowC(),
                            alpha,
                            add,
                            scratch);
                }
            }
            return result.toArray(F);
        }
    }

    private static MemorySegment random(Arena arena, int floats, SplittableRandom random) {
        MemorySegment memory = arena.allocate((long) Float.BYTES * floats, Lanes.LINE);
        for (int i = 0; i < floats; i++) {
            memory.setAtIndex(F, i, i % 11 == 0 ? -0f : (float) random.nextDouble(-1, 1));
        }
        return memory;
    }

    /** Products whose result passes by the caches equal those whose result does not, with columns that fill tiles or leave some. */
    @Test
    void streamedProductsEqualStored() {
        SplittableRandom random = new SplittableRandom(12);
        try (Arena arena = Arena.ofConfined();
                WorkerPool pool = new WorkerPool(3)) {
            for (int n : new int[] {16, 32, 48, 64, 80, 96, 144, 17}) {
                for (int m : new int[] {16, 23, 200, 433}) {
                    for (int k : new int[] {1, 40, 600}) {
                        MemorySegment a = random(arena, m * k, random), b = random(arena, k * n, random);
                        float[] expected = product(a, b, m, n, k, Long.MAX_VALUE, null);
                        for (WorkerPool threads : new WorkerPool[] {null, pool}) {
                            float[] found = product(a, b, m, n, k, 0, threads);
                            int at = Arrays.mismatch(expected, found);
                            assertEquals(-1, at, "m " + m + ", n " + n + ", k " + k + ": element " + at);
                        }
                    }
                }
            }
        }
    }

    private static float[] product(
            MemorySegment a, MemorySegment b, int m, int n, int k, long least, WorkerPool threads) {
        StreamCode.least = least;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment c = arena.allocate((long) Float.BYTES * m * n, Lanes.LINE);
            Scratch scratch = new ThreadScratch();
            Gemm.multiply(m, n, k, 1, a.address(), k, 1, b.address(), n, 1, 0, c.address(), n, null, scratch, threads);
            return c.toArray(F);
        }
    }
}
