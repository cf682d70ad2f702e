package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Borders in machine code write the bits of a chain of fused multiply-adds, and nothing beside their columns. */
class GemmBorderCodeTest {
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT;
    private static final float[] SPECIAL = {Float.NaN, Float.POSITIVE_INFINITY, -0f, 0f, Float.MIN_VALUE, -3e38f};

    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(() -> GemmCode.of(GemmTile.SLIM) != null, "borders");
    }

    @Test
    void equalsChains() {
        for (int columns = 1; columns <= 64; columns++) {
            for (int rows = 1; rows <= 16; rows++) {
                if (rows == GemmBorderCode.rows(rows, columns)) {
                    check(rows, columns, 1 + columns % 7, 1, rows % 2 == 0, columns % 3 == 0 ? 0.7f : 1);
                }
            }
        }
        check(8, 33, 40, 3, true, 1);
        check(6, 64, 40, 2, false, -1);
        check(16, 5, 300, 4, true, 1);
    }

    /** The matrices end with their last elements. */
    private static void check(int rows, int columns, int kc, int tiles, boolean add, float alpha) {
        SplittableRandom random = new SplittableRandom(rows * 100L + columns);
        int m = rows * tiles, rowA = kc + 1, rowB = columns + 2, rowC = columns + 3;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment a = random(arena, (m - 1) * rowA + kc, random);
            MemorySegment b = random(arena, (kc - 1) * rowB + columns, random);
            MemorySegment c = random(arena, m * rowC, random), expected = arena.allocate(c.byteSize(), 4);
            expected.copyFrom(c);
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < columns; j++) {
                    float sum = 0;
                    for (int p = 0; p < kc; p++) {
                        sum = Math.fma(a.getAtIndex(F, i * rowA + p), b.getAtIndex(F, p * rowB + j), sum);
                    }
                    long at = i * rowC + j;
                    expected.setAtIndex(F, at, add ? Math.fma(sum, alpha, c.getAtIndex(F, at)) : sum * alpha);
                }
            }
            long argument = arena.allocate(GemmCode.ARGUMENT, 64).address();
            int factor = Float.floatToRawIntBits(alpha);
            GemmCode.prepare(argument, kc, 4L * rowA, 4, 0, 4L * rowB, 4L * rowC, factor);
            long next = 4L * rows * rowA;
            GemmBorderCode.run(argument, a.address(), next, b.address(), c.address(), rows, columns, tiles, add);
            for (long i = 0; i < m * rowC; i++) {
                long at = i;
                assertEquals(
                        Float.floatToIntBits(expected.getAtIndex(F, i)),
                        Float.floatToIntBits(c.getAtIndex(F, i)),
                        () -> "%d tiles of %d x %d, k %d, add %b, alpha %s, row %d, column %d"
                                .formatted(tiles, rows, columns, kc, add, alpha, at / rowC, at % rowC));
            }
        }
    }

    private static MemorySegment random(Arena arena, int floats, SplittableRandom random) {
        MemorySegment memory = arena.allocate(4L * floats, 4);
        for (int i = 0; i < floats; i++) {
            int special = random.nextInt(500);
            memory.setAtIndex(F, i, special < SPECIAL.length ? SPECIAL[special] : (float) random.nextGaussian());
        }
        return memory;
    }
}
