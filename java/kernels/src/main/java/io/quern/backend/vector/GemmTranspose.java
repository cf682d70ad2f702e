package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Turns eight rows whose elements lie side by side, for panels ({@link GemmPanels}) and transposes ({@link Tiles}). Three rounds of
 * two-vector interleaves (groups of 1, 2 and 4 lanes) turn eight vectors of one row each into the panel's order: 24
 * shuffles per 8 vectors. Int lanes, since a two-vector shuffle takes its indices in the lane type; 8 of them at most,
 * since 16 would hold two k, whose places are apart in a wide panel: masked halves took twice as long.
 */
final class GemmTranspose {
    private static final VectorSpecies<Integer> S = Lanes.FLOATS < 8 ? IntVector.SPECIES_128 : IntVector.SPECIES_256;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfInt I = ValueLayout.JAVA_INT_UNALIGNED;
    private static final IntVector LOW1 = interleave(1, 0), HIGH1 = interleave(1, 1);
    private static final IntVector LOW2 = interleave(2, 0), HIGH2 = interleave(2, 1);
    private static final IntVector LOW4 = interleave(4, 0), HIGH4 = interleave(4, 1);

    private GemmTranspose() {}

    /** Lane indices that take groups of {@code g} lanes in turn from two vectors, from their low or high halves. */
    private static IntVector interleave(int g, int half) {
        int n = S.length();
        int[] lanes = new int[n];
        for (int l = 0; l < n; l++) {
            int q = l / g + half * (n / g);
            lanes[l] = (q & 1) * n + (q >> 1) * g + l % g;
        }
        return IntVector.fromArray(S, lanes, 0);
    }

    /** Element (i, p) goes to {@code to + p * step + i * 4}. */
    static void eight(long from, long along, int kc, long to, long step) {
        // the vectors' strides have 31 bits
        boolean near = (along | 2 * step) >= 0 && (along | 2 * step) <= Integer.MAX_VALUE;
        int whole = near ? kc & -S.length() : 0;
        vectors(from, along, whole, to, step);
        for (int p = whole; p < kc; p++) {
            long source = from + p * 4L, target = to + p * step & ADDRESS;
            for (int i = 0; i < 8; i++, source += along) {
                ALL.set(I, target + i * 4L, ALL.get(I, source & ADDRESS));
            }
        }
    }

    /** The same for any number of rows. */
    static void all(long from, long along, int rows, int count, long to, long step) {
        if (TransposeCode.works()) {
            TransposeCode.turn(from, along, rows, count, to, step);
            return;
        }
        plain(from, along, rows, count, to, step);
    }

    /** The same without machine code. */
    static void plain(long from, long along, int rows, int count, long to, long step) {
        int i = 0;
        for (; i + 8 <= rows; i += 8) {
            eight(from + i * along, along, count, to + 4L * i, step);
        }
        for (; i < rows; i++) {
            for (int p = 0; p < count; p++) {
                ALL.set(I, to + p * step + 4L * i & ADDRESS, ALL.get(I, from + i * along + 4L * p & ADDRESS));
            }
        }
    }

    /** Each vector is a run of the panel: the eight rows at one k, or half of them. */
    private static void vectors(long from, long along, int kc, long to, long step) {
        along &= Integer.MAX_VALUE;
        // Where the next vector goes: along the row of 8, or to the next k.
        long u = S.length() == 4 ? 16 : step, v = S.length() == 4 ? step : 2 * step;
        u &= Integer.MAX_VALUE;
        v &= Integer.MAX_VALUE;
        for (int p = 0; p < kc; p += S.length()) {
            from &= ADDRESS;
            to &= ADDRESS;
            IntVector r0 = IntVector.fromMemorySegment(S, ALL, from + 0 * along, ORDER);
            IntVector r1 = IntVector.fromMemorySegment(S, ALL, from + 1 * along, ORDER);
            IntVector r2 = IntVector.fromMemorySegment(S, ALL, from + 2 * along, ORDER);
            IntVector r3 = IntVector.fromMemorySegment(S, ALL, from + 3 * along, ORDER);
            IntVector r4 = IntVector.fromMemorySegment(S, ALL, from + 4 * along, ORDER);
            IntVector r5 = IntVector.fromMemorySegment(S, ALL, from + 5 * along, ORDER);
            IntVector r6 = IntVector.fromMemorySegment(S, ALL, from + 6 * along, ORDER);
            IntVector r7 = IntVector.fromMemorySegment(S, ALL, from + 7 * along, ORDER);
            IntVector s0 = LOW1.selectFrom(r0, r1), s1 = HIGH1.selectFrom(r0, r1);
            IntVector s2 = LOW1.selectFrom(r2, r3), s3 = HIGH1.selectFrom(r2, r3);
            IntVector s4 = LOW1.selectFrom(r4, r5), s5 = HIGH1.selectFrom(r4, r5);
            IntVector s6 = LOW1.selectFrom(r6, r7), s7 = HIGH1.selectFrom(r6, r7);
            IntVector t0 = LOW2.selectFrom(s0, s2), t1 = HIGH2.selectFrom(s0, s2);
            IntVector t2 = LOW2.selectFrom(s1, s3), t3 = HIGH2.selectFrom(s1, s3);
            IntVector t4 = LOW2.selectFrom(s4, s6), t5 = HIGH2.selectFrom(s4, s6);
            IntVector t6 = LOW2.selectFrom(s5, s7), t7 = HIGH2.selectFrom(s5, s7);
            r0 = LOW4.selectFrom(t0, t4);
            r1 = HIGH4.selectFrom(t0, t4);
            r2 = LOW4.selectFrom(t1, t5);
            r3 = HIGH4.selectFrom(t1, t5);
            r4 = LOW4.selectFrom(t2, t6);
            r5 = HIGH4.selectFrom(t2, t6);
            r6 = LOW4.selectFrom(t3, t7);
            r7 = HIGH4.selectFrom(t3, t7);
            r0.intoMemorySegment(ALL, to + 0 * v, ORDER);
            r1.intoMemorySegment(ALL, to + 0 * v + u, ORDER);
            r2.intoMemorySegment(ALL, to + 1 * v, ORDER);
            r3.intoMemorySegment(ALL, to + 1 * v + u, ORDER);
            r4.intoMemorySegment(ALL, to + 2 * v, ORDER);
            r5.intoMemorySegment(ALL, to + 2 * v + u, ORDER);
            r6.intoMemorySegment(ALL, to + 3 * v, ORDER);
            r7.intoMemorySegment(ALL, to + 3 * v + u, ORDER);
            from += 4L * S.length();
            to += 4 * v;
        }
    }
}
