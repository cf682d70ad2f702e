package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CopyCodeTest {
    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(CopyCode::works, "copies");
    }

    @Test
    void copiesRowsOfPieces() {
        for (int floats : new int[] {1, 15, 16, 17, 40, 64, 131}) {
            for (int rows : new int[] {1, 3, 70}) {
                for (int count : new int[] {1, 2, 5, 64}) {
                    check(rows, count, floats, 0);
                    check(rows, count, floats, -floats & 15);
                }
            }
        }
        for (int floats : new int[] {16, 64, 128}) {
            for (int zeroed : new int[] {1, 5, 16}) {
                check(3, 5, floats, zeroed);
            }
        }
        check(2, 5000, 3, 0);
        check(2, 3, 100_000, 0);
        check(2, 3, 1 << 17, 9);
        check(0, 3, 7, 0);
        check(3, 0, 7, 0);
    }

    @Test
    void zeroesPieces() {
        for (int floats : new int[] {1, 16, 33, 70_000}) {
            for (int count : new int[] {1, 2, 9}) {
                int pitch = floats + 5;
                float[] expected = new float[count * pitch + 1];
                Arrays.fill(expected, 7);
                for (int i = 0; i < count; i++) {
                    Arrays.fill(expected, 1 + i * pitch, 1 + i * pitch + floats, 0);
                }
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment y = arena.allocate(4L * expected.length, 64);
                    for (int i = 0; i < expected.length; i++) {
                        y.setAtIndex(ValueLayout.JAVA_FLOAT, i, 7);
                    }
                    CopyCode.zero(y.address() + 4, 4L * pitch, count, 4L * floats);
                    same(expected, y, "%d pieces of %d zeros".formatted(count, floats));
                }
            }
        }
    }

    /** @param zeroed floats that become zero behind a piece */
    private static void check(int rows, int count, int floats, int zeroed) {
        SplittableRandom random = new SplittableRandom(floats);
        int piece = floats + 1, row = count * piece + 2, toPiece = floats + zeroed + 3, toRow = count * toPiece + 4;
        float[] x = new float[Math.max(1, (rows - 1) * row + (count - 1) * piece + floats)];
        for (int i = 0; i < x.length; i++) {
            x[i] = random.nextInt(1000);
        }
        float[] expected = new float[rows * toRow + 1];
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < count; i++) {
                System.arraycopy(x, r * row + i * piece, expected, 1 + r * toRow + i * toPiece, floats);
                Arrays.fill(
                        expected,
                        1 + r * toRow + i * toPiece + floats,
                        1 + r * toRow + i * toPiece + floats + zeroed,
                        0);
                Arrays.fill(
                        expected, 1 + r * toRow + i * toPiece + floats + zeroed, 1 + r * toRow + (i + 1) * toPiece, 7);
            }
            Arrays.fill(expected, 1 + r * toRow + count * toPiece, 1 + (r + 1) * toRow, 7);
        }
        expected[0] = 7;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = arena.allocateFrom(ValueLayout.JAVA_FLOAT, x);
            MemorySegment to = arena.allocate(4L * expected.length, 64);
            for (int i = 0; i < expected.length; i++) {
                to.setAtIndex(ValueLayout.JAVA_FLOAT, i, 7);
            }
            CopyCode.pieces(
                    from.address(),
                    4L * row,
                    4L * piece,
                    rows,
                    count,
                    4L * floats,
                    4L * zeroed,
                    to.address() + 4,
                    4L * toRow,
                    4L * toPiece);
            same(expected, to, "%d rows of %d pieces of %d and %d zeros".formatted(rows, count, floats, zeroed));
        }
    }

    private static void same(float[] expected, MemorySegment actual, String what) {
        int at = Arrays.mismatch(expected, actual.toArray(ValueLayout.JAVA_FLOAT));
        assertEquals(-1, at, what);
    }
}
