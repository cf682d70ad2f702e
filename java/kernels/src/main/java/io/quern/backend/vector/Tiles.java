package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/** The transpose of a matrix of 4-byte elements, 4 x 4 at a time in 128-bit vectors, which every machine has. */
final class Tiles {
    private static final VectorSpecies<Integer> FOUR = IntVector.SPECIES_128;
    private static final IntVector LOW = IntVector.fromArray(FOUR, new int[] {0, 4, 1, 5}, 0);
    private static final IntVector HIGH = IntVector.fromArray(FOUR, new int[] {2, 6, 3, 7}, 0);
    private static final IntVector LOW_PAIRS = IntVector.fromArray(FOUR, new int[] {0, 1, 4, 5}, 0);
    private static final IntVector HIGH_PAIRS = IntVector.fromArray(FOUR, new int[] {2, 3, 6, 7}, 0);

    private Tiles() {}

    /**
     * y[i, j] = x[j, i] for i below rows and j below columns.
     *
     * @param step bytes between rows of x
     * @param line bytes between rows of y
     */
    static void transpose(long x, long y, int rows, int columns, long step, long line) {
        int wholeRows = rows & -4;
        int wholeColumns = columns & -4;
        for (int j = 0; j < wholeColumns; j += 4) {
            for (int i = 0; i < wholeRows; i += 4) {
                tile(x + j * step + 4L * i, y + i * line + 4L * j, step, line);
            }
        }
        edge(x, y, 0, wholeRows, wholeColumns, columns, step, line);
        edge(x, y, wholeRows, rows, 0, columns, step, line);
    }

    private static void tile(long x, long y, long step, long line) {
        IntVector a = IntVector.fromMemorySegment(FOUR, ALL, x, Lanes.ORDER);
        IntVector b = IntVector.fromMemorySegment(FOUR, ALL, x + step, Lanes.ORDER);
        IntVector c = IntVector.fromMemorySegment(FOUR, ALL, x + 2 * step, Lanes.ORDER);
        IntVector d = IntVector.fromMemorySegment(FOUR, ALL, x + 3 * step, Lanes.ORDER);
        IntVector ab = LOW.selectFrom(a, b);
        IntVector cd = LOW.selectFrom(c, d);
        LOW_PAIRS.selectFrom(ab, cd).intoMemorySegment(ALL, y, Lanes.ORDER);
        HIGH_PAIRS.selectFrom(ab, cd).intoMemorySegment(ALL, y + line, Lanes.ORDER);
        ab = HIGH.selectFrom(a, b);
        cd = HIGH.selectFrom(c, d);
        LOW_PAIRS.selectFrom(ab, cd).intoMemorySegment(ALL, y + 2 * line, Lanes.ORDER);
        HIGH_PAIRS.selectFrom(ab, cd).intoMemorySegment(ALL, y + 3 * line, Lanes.ORDER);
    }

    private static void edge(long x, long y, int i0, int i1, int j0, int j1, long step, long line) {
        for (int i = i0; i < i1; i++) {
            for (int j = j0; j < j1; j++) {
                int element = ALL.get(ValueLayout.JAVA_INT_UNALIGNED, x + j * step + 4L * i);
                ALL.set(ValueLayout.JAVA_INT_UNALIGNED, y + i * line + 4L * j, element);
            }
        }
    }
}
