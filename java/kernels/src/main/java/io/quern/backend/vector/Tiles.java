package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The transpose of a matrix of 4-byte elements in tiles of 8 x 8, what remains in 4 x 4. Eight rows of x at a time are
 * read along whole cache lines: sixteen, whose distance is often a power of two, would push each other out of L1; where they come from memory anyway, {@link #stream} takes these.
 */
final class Tiles {
    /** Columns that are asked for ahead of those that are transposed, and columns transposed between. */
    static final int AHEAD = 32, BLOCK = 16;

    /** Rows and columns of the larger tile. */
    static final int EDGE = 8;

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
        if (TransposeCode.works()) {
            TransposeCode.turn(x, step, columns, rows, y, line);
            return;
        }
        int largeRows = rows & -8, largeColumns = columns & -8;
        for (int j = 0; j < largeColumns; j += 8) {
            for (int i = 0; i < largeRows; i += 8) {
                GemmTranspose.eight(x + j * step + 4L * i, step, 8, y + i * line + 4L * j, line);
            }
        }
        small(x, y, 0, largeRows, largeColumns, columns, step, line);
        small(x, y, largeRows, rows, 0, columns, step, line);
    }

    /**
     * The same of matrices in memory, by sixteen columns, which are whole cache lines of y if it begins on one: written by halves, the second
     * ones while the caches have the lines. The lines of x and y that come {@link #AHEAD} columns later are asked for meanwhile: those of
     * x are each in another page, and the last ones of a strip belong to the one below, the next to be transposed.
     */
    static void stream(long x, long y, int rows, int columns, long step, long line) {
        int whole = columns & -BLOCK;
        for (int j = 0; j < whole; j += BLOCK) {
            boolean below = j + AHEAD >= whole;
            int soon = below ? j + AHEAD - whole : j + AHEAD;
            long down = below ? rows : 0;
            if (soon < whole) {
                Prefetch.forReading(x + soon * step + 4 * down, 4L * rows, BLOCK, step);
                Prefetch.forWriting(y + 4L * soon + down * line, 4L * BLOCK, rows, line);
            }
            if (TransposeCode.works()) {
                TransposeCode.turn(x + j * step, step, BLOCK, rows, y + 4L * j, line);
                continue;
            }
            int i = 0;
            for (; i + EDGE <= rows; i += EDGE) {
                long from = x + j * step + 4L * i, to = y + i * line + 4L * j;
                GemmTranspose.eight(from, step, EDGE, to, line);
                GemmTranspose.eight(from + EDGE * step, step, EDGE, to + 4L * EDGE, line);
            }
            small(x, y, i, rows, j, j + BLOCK, step, line);
        }
        transpose(x + whole * step, y + 4L * whole, rows, columns - whole, step, line);
    }

    /** Rows i0 .. i1 and columns j0 .. j1. */
    private static void small(long x, long y, int i0, int i1, int j0, int j1, long step, long line) {
        int wholeI = i0 + (i1 - i0 & -4), wholeJ = j0 + (j1 - j0 & -4);
        for (int j = j0; j < wholeJ; j += 4) {
            for (int i = i0; i < wholeI; i += 4) {
                tile(x + j * step + 4L * i, y + i * line + 4L * j, step, line);
            }
        }
        edge(x, y, i0, wholeI, wholeJ, j1, step, line);
        edge(x, y, wholeI, i1, j0, j1, step, line);
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
