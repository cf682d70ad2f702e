package io.quern.backend.vector;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;

/**
 * Machine code, for x86-64 with AVX-512, that makes sixteen pixels of few channels, side by side as in memory, of a vector per channel,
 * or the reverse. Any number of channels: vector by vector into each result. An even number: pairs of channels first, then those as lanes
 * of 64 bits, which takes 18 instructions for six channels where the other would take 30.
 */
final class PlaneWeave {
    /** Most channels. */
    static final int MOST = 8;
    /** Registers to work with, and as many as channels on top if pixels become planes. */
    private static final int SPARE = 4;

    private static final int LONGS = Lanes.BYTES / Long.BYTES;

    private final VectorAssembler code;
    private final int k, table;
    private final boolean apart, paired;
    /** Vectors that a result takes lanes from: all, or those of pairs of channels. */
    private final int wide;
    /** Lanes, a vector each: two for the pairs, then those of {@link #spread}. */
    private final MemorySegment indices;

    private PlaneWeave(VectorAssembler code, int k, int table, boolean apart) {
        this.code = code;
        this.k = k;
        this.table = table;
        this.apart = apart;
        paired = k % 2 == 0;
        wide = paired ? k / 2 : k;
        int lanes = paired ? LONGS : Lanes.FLOATS;
        // as long as the code, which is never given back
        indices = Arena.global().allocate((2L + wide * (wide - 1L)) * Lanes.BYTES, Lanes.LINE);
        fill(2, Lanes.FLOATS, 0);
        fill(wide, lanes, 2);
        code.constant(table, indices.address());
    }

    /**
     * Planes become pixels.
     *
     * @param table a register that the code in between leaves alone
     */
    static PlaneWeave toPixels(VectorAssembler code, int k, int table) {
        return new PlaneWeave(code, k, table, false);
    }

    /** The reverse. */
    static PlaneWeave toPlanes(VectorAssembler code, int k, int table) {
        return new PlaneWeave(code, k, table, true);
    }

    /** Of each of {@code n} results but for the first vector: which lanes it takes of the next one, the others being those it has. */
    private void fill(int n, int lanes, int vector) {
        for (int result = 0; result < n; result++) {
            for (int next = 1; next < n; next++, vector++) {
                for (int lane = 0; lane < lanes; lane++) {
                    int unit = apart ? lane * n + result : result * lanes + lane;
                    int from = apart ? unit / lanes : unit % n, at = apart ? unit % lanes : unit / n;
                    int index = from == next ? lanes + at : from == 0 && next == 1 ? at : lane;
                    if (lanes == LONGS) {
                        indices.setAtIndex(ValueLayout.JAVA_LONG, (long) vector * lanes + lane, index);
                    } else {
                        indices.setAtIndex(ValueLayout.JAVA_INT, (long) vector * lanes + lane, index);
                    }
                }
            }
        }
    }

    /** What becomes of a finished vector. */
    interface Result {
        /** @param register which is overwritten afterwards */
        void take(int index, int register);
    }

    /**
     * What is in {@code k} registers from {@code first} on, which are overwritten, becomes {@code k} vectors, taken in any order.
     *
     * @param spare the first of {@link #SPARE} registers, and {@code k} more for planes
     */
    void weave(int first, int spare, Result result) {
        if (!paired) {
            spread(new int[][] {IntStream.range(first, first + k).toArray()}, spare, result);
        } else if (apart) {
            pairsToPlanes(first, spare, result);
        } else {
            pairsToPixels(first, spare, result);
        }
    }

    private void pairsToPixels(int first, int spare, Result result) {
        int[] low = new int[wide], high = new int[wide];
        loadIndex(spare + 2, 0);
        loadIndex(spare + 3, 1);
        for (int i = 0, free = spare; i < wide; i++) {
            int even = first + 2 * i, odd = even + 1;
            low[i] = free;
            high[i] = even;
            code.moveVector(free, even);
            code.selectFloats(free, spare + 2, odd);
            code.selectFloats(even, spare + 3, odd);
            free = odd;
        }
        // the last odd one is free instead of the first spare one
        spread(new int[][] {low, high}, spare + 1, result);
    }

    private void pairsToPlanes(int first, int spare, Result result) {
        int[] low = new int[wide], high = new int[wide];
        int halves = spare + SPARE;
        for (int i = 0; i < wide; i++) {
            low[i] = first + i;
            high[i] = first + wide + i;
        }
        spread(new int[][] {low, high}, spare, (index, register) -> code.moveVector(halves + index, register));
        loadIndex(spare + 2, 0);
        loadIndex(spare + 3, 1);
        for (int i = 0; i < wide; i++) {
            int odd = halves + i, second = halves + wide + i;
            code.moveVector(spare, odd);
            code.selectFloats(spare, spare + 2, second);
            code.selectFloats(odd, spare + 3, second);
            result.take(2 * i, spare);
            result.take(2 * i + 1, odd);
        }
    }

    /** Of one group of vectors lanes of 32 bits, of two groups lanes of 64; the results of the second are numbered on. */
    private void spread(int[][] groups, int spare, Result result) {
        for (int j = 0; j < wide; j++) {
            for (int next = 1; next < wide; next++) {
                loadIndex(spare + 2, 2 + j * (wide - 1) + next - 1);
                for (int g = 0; g < groups.length; g++) {
                    if (next == 1) {
                        code.moveVector(spare + g, groups[g][0]);
                    }
                    if (paired) {
                        code.selectLongs(spare + g, spare + 2, groups[g][next]);
                    } else {
                        code.selectFloats(spare + g, spare + 2, groups[g][next]);
                    }
                }
            }
            for (int g = 0; g < groups.length; g++) {
                result.take(g * wide + j, wide == 1 ? groups[g][0] : spare + g);
            }
        }
    }

    private void loadIndex(int to, int vector) {
        code.loadVector(to, Address.of(table, vector * Lanes.BYTES));
    }
}
