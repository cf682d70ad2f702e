package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TransposeCodeTest {
    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(TransposeCode::works, "transposes");
    }

    @Test
    void turnsTilesAndBorders() {
        for (int rows = 1; rows <= 25; rows++) {
            for (int count = 1; count <= 25; count++) {
                check(rows, count, 1, 3);
            }
        }
    }

    @Test
    void turnsWhatTakesSeveralCalls() {
        check(16, 512, 0, 0);
        check(64, 300, 5, 0);
        check(3, 20_000, 0, 1);
        check(9, 2049, 1, 1);
        check(500, 18, 0, 2);
        check(0, 8, 0, 0);
        check(8, 0, 0, 0);
    }

    /** @param gap, space floats behind each row of the source, and of the result */
    private static void check(int rows, int count, int gap, int space) {
        SplittableRandom random = new SplittableRandom(rows * 1000L + count);
        long along = 4L * (count + gap), step = 4L * (rows + space);
        try (Arena arena = Arena.ofConfined()) {
            // the source ends with its last element, the result begins off a line
            MemorySegment from = arena.allocate(Math.max(4, rows * along), 4);
            MemorySegment to = arena.allocate(4 + Math.max(4, count * step), 64);
            MemorySegment expected = arena.allocate(to.byteSize(), 64);
            for (long i = 0; i < from.byteSize() / 4; i++) {
                from.setAtIndex(ValueLayout.JAVA_INT, i, random.nextInt());
            }
            to.fill((byte) 7);
            expected.fill((byte) 7);
            TransposeCode.turn(from.address(), along, rows, count, to.address() + 4, step);
            GemmTranspose.plain(from.address(), along, rows, count, expected.address() + 4, step);
            assertEquals(
                    -1,
                    to.mismatch(expected),
                    () -> "%d rows of %d, %d and %d between".formatted(rows, count, gap, space));
        }
    }
}
