// Long because each register tile is a method of its own: accumulators must be local variables for C2 to keep them in
// registers.
package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.ConvTile.NARROW_OFFSETS;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.OFFSET;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** One-vector tiles for the last columns and for few channels; the form is that of {@link ConvTiles}. */
final class ConvNarrowTiles {
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Always 1, but not to the compiler. */
    private static int step = 1;

    private ConvNarrowTiles() {}

    static void set16x1(
            long[] taps,
            long[] filters,
            int kc,
            long cs,
            long[] rows,
            int row,
            long a,
            long b,
            long bs,
            long[] results,
            int result,
            long c,
            long bias,
            int floor) {
        long first = rows[row];
        long r1 = rows[row + 1] - first & NARROW_OFFSETS;
        long r2 = rows[row + 2] - first & NARROW_OFFSETS;
        long r3 = rows[row + 3] - first & NARROW_OFFSETS;
        long r4 = rows[row + 4] - first & NARROW_OFFSETS;
        long r5 = rows[row + 5] - first & NARROW_OFFSETS;
        long r6 = rows[row + 6] - first & NARROW_OFFSETS;
        long r7 = rows[row + 7] - first & NARROW_OFFSETS;
        long r8 = rows[row + 8] - first & NARROW_OFFSETS;
        long r9 = rows[row + 9] - first & NARROW_OFFSETS;
        long r10 = rows[row + 10] - first & NARROW_OFFSETS;
        long r11 = rows[row + 11] - first & NARROW_OFFSETS;
        long r12 = rows[row + 12] - first & NARROW_OFFSETS;
        long r13 = rows[row + 13] - first & NARROW_OFFSETS;
        long r14 = rows[row + 14] - first & NARROW_OFFSETS;
        long r15 = rows[row + 15] - first & NARROW_OFFSETS;
        FloatVector c0 = FloatVector.zero(S);
        FloatVector c1 = FloatVector.zero(S);
        FloatVector c2 = FloatVector.zero(S);
        FloatVector c3 = FloatVector.zero(S);
        FloatVector c4 = FloatVector.zero(S);
        FloatVector c5 = FloatVector.zero(S);
        FloatVector c6 = FloatVector.zero(S);
        FloatVector c7 = FloatVector.zero(S);
        FloatVector c8 = FloatVector.zero(S);
        FloatVector c9 = FloatVector.zero(S);
        FloatVector ca = FloatVector.zero(S);
        FloatVector cb = FloatVector.zero(S);
        FloatVector cc = FloatVector.zero(S);
        FloatVector cd = FloatVector.zero(S);
        FloatVector ce = FloatVector.zero(S);
        FloatVector cf = FloatVector.zero(S);
        for (int t = 0, one = step; t < taps.length; t += one) {
            long at = a + first + taps[t];
            long f = b + filters[t] * bs;
            for (long end = f + kc * bs; f < end; f += bs) {
                at &= ADDRESS;
                f &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, f, Lanes.ORDER);
                // before the multiply-adds: see VectorMath on what C2 inlines
                float x0 = ALL.get(FLOAT, at);
                float x1 = ALL.get(FLOAT, at + r1);
                float x2 = ALL.get(FLOAT, at + r2);
                float x3 = ALL.get(FLOAT, at + r3);
                float x4 = ALL.get(FLOAT, at + r4);
                float x5 = ALL.get(FLOAT, at + r5);
                float x6 = ALL.get(FLOAT, at + r6);
                float x7 = ALL.get(FLOAT, at + r7);
                float x8 = ALL.get(FLOAT, at + r8);
                float x9 = ALL.get(FLOAT, at + r9);
                float x10 = ALL.get(FLOAT, at + r10);
                float x11 = ALL.get(FLOAT, at + r11);
                float x12 = ALL.get(FLOAT, at + r12);
                float x13 = ALL.get(FLOAT, at + r13);
                float x14 = ALL.get(FLOAT, at + r14);
                float x15 = ALL.get(FLOAT, at + r15);
                FloatVector x = FloatVector.broadcast(S, x0);
                c0 = x.fma(b0, c0);
                x = FloatVector.broadcast(S, x1);
                c1 = x.fma(b0, c1);
                x = FloatVector.broadcast(S, x2);
                c2 = x.fma(b0, c2);
                x = FloatVector.broadcast(S, x3);
                c3 = x.fma(b0, c3);
                x = FloatVector.broadcast(S, x4);
                c4 = x.fma(b0, c4);
                x = FloatVector.broadcast(S, x5);
                c5 = x.fma(b0, c5);
                x = FloatVector.broadcast(S, x6);
                c6 = x.fma(b0, c6);
                x = FloatVector.broadcast(S, x7);
                c7 = x.fma(b0, c7);
                x = FloatVector.broadcast(S, x8);
                c8 = x.fma(b0, c8);
                x = FloatVector.broadcast(S, x9);
                c9 = x.fma(b0, c9);
                x = FloatVector.broadcast(S, x10);
                ca = x.fma(b0, ca);
                x = FloatVector.broadcast(S, x11);
                cb = x.fma(b0, cb);
                x = FloatVector.broadcast(S, x12);
                cc = x.fma(b0, cc);
                x = FloatVector.broadcast(S, x13);
                cd = x.fma(b0, cd);
                x = FloatVector.broadcast(S, x14);
                ce = x.fma(b0, ce);
                x = FloatVector.broadcast(S, x15);
                cf = x.fma(b0, cf);
                at += cs;
            }
        }
        bias &= ADDRESS;
        FloatVector s0 = FloatVector.fromMemorySegment(S, ALL, bias, Lanes.ORDER);
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor));
        long to = c + results[result] & ADDRESS;
        FloatVector v = s0.add(c0);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 1] & ADDRESS;
        v = s0.add(c1);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 2] & ADDRESS;
        v = s0.add(c2);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 3] & ADDRESS;
        v = s0.add(c3);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 4] & ADDRESS;
        v = s0.add(c4);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 5] & ADDRESS;
        v = s0.add(c5);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 6] & ADDRESS;
        v = s0.add(c6);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 7] & ADDRESS;
        v = s0.add(c7);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 8] & ADDRESS;
        v = s0.add(c8);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 9] & ADDRESS;
        v = s0.add(c9);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 10] & ADDRESS;
        v = s0.add(ca);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 11] & ADDRESS;
        v = s0.add(cb);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 12] & ADDRESS;
        v = s0.add(cc);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 13] & ADDRESS;
        v = s0.add(cd);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 14] & ADDRESS;
        v = s0.add(ce);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 15] & ADDRESS;
        v = s0.add(cf);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
    }

    static void add16x1(
            long[] taps,
            long[] filters,
            int kc,
            long cs,
            long[] rows,
            int row,
            long a,
            long b,
            long bs,
            long[] results,
            int result,
            long c) {
        long first = rows[row];
        long r1 = rows[row + 1] - first & NARROW_OFFSETS;
        long r2 = rows[row + 2] - first & NARROW_OFFSETS;
        long r3 = rows[row + 3] - first & NARROW_OFFSETS;
        long r4 = rows[row + 4] - first & NARROW_OFFSETS;
        long r5 = rows[row + 5] - first & NARROW_OFFSETS;
        long r6 = rows[row + 6] - first & NARROW_OFFSETS;
        long r7 = rows[row + 7] - first & NARROW_OFFSETS;
        long r8 = rows[row + 8] - first & NARROW_OFFSETS;
        long r9 = rows[row + 9] - first & NARROW_OFFSETS;
        long r10 = rows[row + 10] - first & NARROW_OFFSETS;
        long r11 = rows[row + 11] - first & NARROW_OFFSETS;
        long r12 = rows[row + 12] - first & NARROW_OFFSETS;
        long r13 = rows[row + 13] - first & NARROW_OFFSETS;
        long r14 = rows[row + 14] - first & NARROW_OFFSETS;
        long r15 = rows[row + 15] - first & NARROW_OFFSETS;
        FloatVector c0 = FloatVector.zero(S);
        FloatVector c1 = FloatVector.zero(S);
        FloatVector c2 = FloatVector.zero(S);
        FloatVector c3 = FloatVector.zero(S);
        FloatVector c4 = FloatVector.zero(S);
        FloatVector c5 = FloatVector.zero(S);
        FloatVector c6 = FloatVector.zero(S);
        FloatVector c7 = FloatVector.zero(S);
        FloatVector c8 = FloatVector.zero(S);
        FloatVector c9 = FloatVector.zero(S);
        FloatVector ca = FloatVector.zero(S);
        FloatVector cb = FloatVector.zero(S);
        FloatVector cc = FloatVector.zero(S);
        FloatVector cd = FloatVector.zero(S);
        FloatVector ce = FloatVector.zero(S);
        FloatVector cf = FloatVector.zero(S);
        for (int t = 0, one = step; t < taps.length; t += one) {
            long at = a + first + taps[t];
            long f = b + filters[t] * bs;
            for (long end = f + kc * bs; f < end; f += bs) {
                at &= ADDRESS;
                f &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, f, Lanes.ORDER);
                // before the multiply-adds: see VectorMath on what C2 inlines
                float x0 = ALL.get(FLOAT, at);
                float x1 = ALL.get(FLOAT, at + r1);
                float x2 = ALL.get(FLOAT, at + r2);
                float x3 = ALL.get(FLOAT, at + r3);
                float x4 = ALL.get(FLOAT, at + r4);
                float x5 = ALL.get(FLOAT, at + r5);
                float x6 = ALL.get(FLOAT, at + r6);
                float x7 = ALL.get(FLOAT, at + r7);
                float x8 = ALL.get(FLOAT, at + r8);
                float x9 = ALL.get(FLOAT, at + r9);
                float x10 = ALL.get(FLOAT, at + r10);
                float x11 = ALL.get(FLOAT, at + r11);
                float x12 = ALL.get(FLOAT, at + r12);
                float x13 = ALL.get(FLOAT, at + r13);
                float x14 = ALL.get(FLOAT, at + r14);
                float x15 = ALL.get(FLOAT, at + r15);
                FloatVector x = FloatVector.broadcast(S, x0);
                c0 = x.fma(b0, c0);
                x = FloatVector.broadcast(S, x1);
                c1 = x.fma(b0, c1);
                x = FloatVector.broadcast(S, x2);
                c2 = x.fma(b0, c2);
                x = FloatVector.broadcast(S, x3);
                c3 = x.fma(b0, c3);
                x = FloatVector.broadcast(S, x4);
                c4 = x.fma(b0, c4);
                x = FloatVector.broadcast(S, x5);
                c5 = x.fma(b0, c5);
                x = FloatVector.broadcast(S, x6);
                c6 = x.fma(b0, c6);
                x = FloatVector.broadcast(S, x7);
                c7 = x.fma(b0, c7);
                x = FloatVector.broadcast(S, x8);
                c8 = x.fma(b0, c8);
                x = FloatVector.broadcast(S, x9);
                c9 = x.fma(b0, c9);
                x = FloatVector.broadcast(S, x10);
                ca = x.fma(b0, ca);
                x = FloatVector.broadcast(S, x11);
                cb = x.fma(b0, cb);
                x = FloatVector.broadcast(S, x12);
                cc = x.fma(b0, cc);
                x = FloatVector.broadcast(S, x13);
                cd = x.fma(b0, cd);
                x = FloatVector.broadcast(S, x14);
                ce = x.fma(b0, ce);
                x = FloatVector.broadcast(S, x15);
                cf = x.fma(b0, cf);
                at += cs;
            }
        }
        long to = c + results[result] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c0).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 1] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c1).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 2] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c2).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 3] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c3).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 4] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c4).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 5] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c5).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 6] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c6).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 7] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c7).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 8] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c8).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 9] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c9).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 10] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(ca).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 11] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(cb).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 12] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(cc).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 13] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(cd).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 14] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(ce).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 15] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(cf).intoMemorySegment(ALL, to, Lanes.ORDER);
    }

    static void set8x1(
            long[] taps,
            long[] filters,
            int kc,
            long cs,
            long[] rows,
            int row,
            long a,
            long b,
            long bs,
            long[] results,
            int result,
            long c,
            long bias,
            int floor) {
        long first = rows[row];
        long r1 = rows[row + 1] - first & NARROW_OFFSETS;
        long r2 = rows[row + 2] - first & NARROW_OFFSETS;
        long r3 = rows[row + 3] - first & NARROW_OFFSETS;
        long r4 = rows[row + 4] - first & NARROW_OFFSETS;
        long r5 = rows[row + 5] - first & NARROW_OFFSETS;
        long r6 = rows[row + 6] - first & NARROW_OFFSETS;
        long r7 = rows[row + 7] - first & NARROW_OFFSETS;
        FloatVector c0 = FloatVector.zero(S);
        FloatVector c1 = FloatVector.zero(S);
        FloatVector c2 = FloatVector.zero(S);
        FloatVector c3 = FloatVector.zero(S);
        FloatVector c4 = FloatVector.zero(S);
        FloatVector c5 = FloatVector.zero(S);
        FloatVector c6 = FloatVector.zero(S);
        FloatVector c7 = FloatVector.zero(S);
        for (int t = 0, one = step; t < taps.length; t += one) {
            long at = a + first + taps[t];
            long f = b + filters[t] * bs;
            for (long end = f + kc * bs; f < end; f += bs) {
                at &= ADDRESS;
                f &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, f, Lanes.ORDER);
                FloatVector x = FloatVector.broadcast(S, ALL.get(FLOAT, at));
                c0 = x.fma(b0, c0);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r1));
                c1 = x.fma(b0, c1);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r2));
                c2 = x.fma(b0, c2);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r3));
                c3 = x.fma(b0, c3);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r4));
                c4 = x.fma(b0, c4);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r5));
                c5 = x.fma(b0, c5);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r6));
                c6 = x.fma(b0, c6);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r7));
                c7 = x.fma(b0, c7);
                at += cs;
            }
        }
        bias &= ADDRESS;
        FloatVector s0 = FloatVector.fromMemorySegment(S, ALL, bias, Lanes.ORDER);
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor));
        long to = c + results[result] & ADDRESS;
        FloatVector v = s0.add(c0);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 1] & ADDRESS;
        v = s0.add(c1);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 2] & ADDRESS;
        v = s0.add(c2);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 3] & ADDRESS;
        v = s0.add(c3);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 4] & ADDRESS;
        v = s0.add(c4);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 5] & ADDRESS;
        v = s0.add(c5);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 6] & ADDRESS;
        v = s0.add(c6);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 7] & ADDRESS;
        v = s0.add(c7);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
    }

    static void add8x1(
            long[] taps,
            long[] filters,
            int kc,
            long cs,
            long[] rows,
            int row,
            long a,
            long b,
            long bs,
            long[] results,
            int result,
            long c) {
        long first = rows[row];
        long r1 = rows[row + 1] - first & NARROW_OFFSETS;
        long r2 = rows[row + 2] - first & NARROW_OFFSETS;
        long r3 = rows[row + 3] - first & NARROW_OFFSETS;
        long r4 = rows[row + 4] - first & NARROW_OFFSETS;
        long r5 = rows[row + 5] - first & NARROW_OFFSETS;
        long r6 = rows[row + 6] - first & NARROW_OFFSETS;
        long r7 = rows[row + 7] - first & NARROW_OFFSETS;
        FloatVector c0 = FloatVector.zero(S);
        FloatVector c1 = FloatVector.zero(S);
        FloatVector c2 = FloatVector.zero(S);
        FloatVector c3 = FloatVector.zero(S);
        FloatVector c4 = FloatVector.zero(S);
        FloatVector c5 = FloatVector.zero(S);
        FloatVector c6 = FloatVector.zero(S);
        FloatVector c7 = FloatVector.zero(S);
        for (int t = 0, one = step; t < taps.length; t += one) {
            long at = a + first + taps[t];
            long f = b + filters[t] * bs;
            for (long end = f + kc * bs; f < end; f += bs) {
                at &= ADDRESS;
                f &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, f, Lanes.ORDER);
                FloatVector x = FloatVector.broadcast(S, ALL.get(FLOAT, at));
                c0 = x.fma(b0, c0);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r1));
                c1 = x.fma(b0, c1);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r2));
                c2 = x.fma(b0, c2);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r3));
                c3 = x.fma(b0, c3);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r4));
                c4 = x.fma(b0, c4);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r5));
                c5 = x.fma(b0, c5);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r6));
                c6 = x.fma(b0, c6);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, at + r7));
                c7 = x.fma(b0, c7);
                at += cs;
            }
        }
        long to = c + results[result] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c0).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 1] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c1).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 2] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c2).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 3] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c3).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 4] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c4).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 5] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c5).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 6] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c6).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 7] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c7).intoMemorySegment(ALL, to, Lanes.ORDER);
    }

    static void set4x1(
            long[] taps,
            long[] filters,
            int kc,
            long cs,
            long[] rows,
            int row,
            long a,
            long b,
            long bs,
            long[] results,
            int result,
            long c,
            long bias,
            int floor) {
        long a0 = a + rows[row] & ADDRESS;
        long a1 = a + rows[row + 1] & ADDRESS;
        long a2 = a + rows[row + 2] & ADDRESS;
        long a3 = a + rows[row + 3] & ADDRESS;
        FloatVector c0 = FloatVector.zero(S);
        FloatVector c1 = FloatVector.zero(S);
        FloatVector c2 = FloatVector.zero(S);
        FloatVector c3 = FloatVector.zero(S);
        for (int t = 0, one = step; t < taps.length; t += one) {
            long at = taps[t];
            long f = b + filters[t] * bs;
            for (long end = f + kc * bs; f < end; f += bs) {
                at &= OFFSET;
                f &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, f, Lanes.ORDER);
                FloatVector x = FloatVector.broadcast(S, ALL.get(FLOAT, a0 + at));
                c0 = x.fma(b0, c0);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, a1 + at));
                c1 = x.fma(b0, c1);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, a2 + at));
                c2 = x.fma(b0, c2);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, a3 + at));
                c3 = x.fma(b0, c3);
                at += cs;
            }
        }
        bias &= ADDRESS;
        FloatVector s0 = FloatVector.fromMemorySegment(S, ALL, bias, Lanes.ORDER);
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor));
        long to = c + results[result] & ADDRESS;
        FloatVector v = s0.add(c0);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 1] & ADDRESS;
        v = s0.add(c1);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 2] & ADDRESS;
        v = s0.add(c2);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 3] & ADDRESS;
        v = s0.add(c3);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, to, Lanes.ORDER);
    }

    static void add4x1(
            long[] taps,
            long[] filters,
            int kc,
            long cs,
            long[] rows,
            int row,
            long a,
            long b,
            long bs,
            long[] results,
            int result,
            long c) {
        long a0 = a + rows[row] & ADDRESS;
        long a1 = a + rows[row + 1] & ADDRESS;
        long a2 = a + rows[row + 2] & ADDRESS;
        long a3 = a + rows[row + 3] & ADDRESS;
        FloatVector c0 = FloatVector.zero(S);
        FloatVector c1 = FloatVector.zero(S);
        FloatVector c2 = FloatVector.zero(S);
        FloatVector c3 = FloatVector.zero(S);
        for (int t = 0, one = step; t < taps.length; t += one) {
            long at = taps[t];
            long f = b + filters[t] * bs;
            for (long end = f + kc * bs; f < end; f += bs) {
                at &= OFFSET;
                f &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, f, Lanes.ORDER);
                FloatVector x = FloatVector.broadcast(S, ALL.get(FLOAT, a0 + at));
                c0 = x.fma(b0, c0);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, a1 + at));
                c1 = x.fma(b0, c1);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, a2 + at));
                c2 = x.fma(b0, c2);
                x = FloatVector.broadcast(S, ALL.get(FLOAT, a3 + at));
                c3 = x.fma(b0, c3);
                at += cs;
            }
        }
        long to = c + results[result] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c0).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 1] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c1).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 2] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c2).intoMemorySegment(ALL, to, Lanes.ORDER);
        to = c + results[result + 3] & ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(c3).intoMemorySegment(ALL, to, Lanes.ORDER);
    }
}
