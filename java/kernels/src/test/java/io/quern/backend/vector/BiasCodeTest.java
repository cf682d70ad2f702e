package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.op.ActivationKind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BiasCodeTest {
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT;
    private static final float[] SPECIAL = {
        Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, -0f, 0f, Float.MIN_VALUE, -Float.MIN_VALUE
    };

    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(() -> BiasCode.takes(ActivationKind.RELU), "biases");
    }

    @Test
    void addsAndCutsOff() {
        for (ActivationKind kind : new ActivationKind[] {ActivationKind.NONE, ActivationKind.RELU}) {
            for (int columns : new int[] {1, 10, 15, 16, 17, 64, 120, 1000}) {
                for (int rows : new int[] {1, 2, 33, 300}) {
                    check(kind, rows, columns);
                }
            }
            check(kind, 2, 40_000);
        }
    }

    private static void check(ActivationKind kind, int rows, int columns) {
        SplittableRandom random = new SplittableRandom(rows * 7919L + columns);
        int row = columns + 3;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment c = random(arena, rows * row, random), bias = random(arena, columns, random);
            MemorySegment expected = arena.allocate(c.byteSize(), 4);
            expected.copyFrom(c);
            for (int i = 0; i < rows; i++) {
                for (int j = 0; j < columns; j++) {
                    float sum = c.getAtIndex(F, i * row + j) + bias.getAtIndex(F, j);
                    expected.setAtIndex(F, i * row + j, kind == ActivationKind.RELU && sum < 0 ? 0 : sum);
                }
            }
            BiasCode.run(kind, c.address(), 4L * row, bias.address(), rows, columns);
            for (int i = 0; i < rows * row; i++) {
                int at = i;
                assertEquals(
                        Float.floatToIntBits(expected.getAtIndex(F, i)),
                        Float.floatToIntBits(c.getAtIndex(F, i)),
                        () -> "%s, %d rows of %d, row %d, column %d"
                                .formatted(kind, rows, columns, at / row, at % row));
            }
        }
    }

    private static MemorySegment random(Arena arena, int floats, SplittableRandom random) {
        MemorySegment memory = arena.allocate(4L * floats, 4);
        for (int i = 0; i < floats; i++) {
            int special = random.nextInt(100);
            memory.setAtIndex(F, i, special < SPECIAL.length ? SPECIAL[special] : (float) random.nextGaussian());
        }
        return memory;
    }
}
