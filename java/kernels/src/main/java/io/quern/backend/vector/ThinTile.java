package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The register tile of {@link ThinCorrelation} and {@link ThinImageGradient}, whose lanes are the pixels of a row, and whose
 * results lie as a plane per channel until they are turned into pixels.
 */
final class ThinTile {
    /** Planes that a tile sums. */
    static final int PLANES = 6;
    /** Planes that {@link #turn} reads, in whole tiles. */
    static final int ALL_PLANES = 12;

    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Always 1, but not to the compiler. */
    private static int step = 1;

    private ThinTile() {}

    /** A row of planes as pixels of {@code k} channels: eight are written where the row goes on behind a pixel, in order. */
    static void turn(long planes, long line, int k, int pixels, long to) {
        if (TransposeCode.works()) {
            TransposeCode.turn(planes, line, k, pixels, to, 4L * k);
            return;
        }
        int q = 0, last = pixels - 7 - (8 + k - 1) / k;
        for (; q <= last; q += 8) {
            GemmTranspose.eight(planes + 4L * q, line, 8, to + 4L * q * k, 4L * k);
        }
        if (q > 0 && q < last + 8) {
            GemmTranspose.eight(planes + 4L * last, line, 8, to + 4L * last * k, 4L * k);
            q = last + 8;
        }
        for (; q < pixels; q++) {
            for (int j = 0; j < k; j++) {
                ALL.set(FLOAT, to + 4L * (q * k + j) & ADDRESS, ALL.get(FLOAT, planes + j * line + 4L * q & ADDRESS));
            }
        }
    }

    /**
     * Two vectors of pixels of six planes: each bias + the sum over the taps {@code from} to {@code to}, but not below {@code floor}.
     *
     * @param taps where a tap's pixels lie behind those of the result at {@code x} and {@code u}
     * @param filter of six floats per tap, from tap 0 on
     * @param bias of six floats
     * @param c, d the vectors of the first plane; the others follow {@code line} bytes apart
     */
    static void sum(
            long[] taps,
            int from,
            int to,
            long x,
            long u,
            long filter,
            long bias,
            int floor,
            long c,
            long d,
            long line) {
        filter += 4L * PLANES * from;
        x &= ADDRESS;
        u &= ADDRESS;
        FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0;
        FloatVector b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0, b5 = a0;
        FloatVector f;
        for (int t = from, one = step; t < to; t += one) {
            long at = taps[t] & Lanes.OFFSET;
            filter &= ADDRESS;
            FloatVector p = FloatVector.fromMemorySegment(S, ALL, x + at, Lanes.ORDER);
            FloatVector r = FloatVector.fromMemorySegment(S, ALL, u + at, Lanes.ORDER);
            f = FloatVector.broadcast(S, ALL.get(FLOAT, filter));
            a0 = p.fma(f, a0);
            b0 = r.fma(f, b0);
            f = FloatVector.broadcast(S, ALL.get(FLOAT, filter + 4));
            a1 = p.fma(f, a1);
            b1 = r.fma(f, b1);
            f = FloatVector.broadcast(S, ALL.get(FLOAT, filter + 8));
            a2 = p.fma(f, a2);
            b2 = r.fma(f, b2);
            f = FloatVector.broadcast(S, ALL.get(FLOAT, filter + 12));
            a3 = p.fma(f, a3);
            b3 = r.fma(f, b3);
            f = FloatVector.broadcast(S, ALL.get(FLOAT, filter + 16));
            a4 = p.fma(f, a4);
            b4 = r.fma(f, b4);
            f = FloatVector.broadcast(S, ALL.get(FLOAT, filter + 20));
            a5 = p.fma(f, a5);
            b5 = r.fma(f, b5);
            filter += 4L * PLANES;
        }
        bias &= ADDRESS;
        c &= ADDRESS;
        d &= ADDRESS;
        line &= Lanes.OFFSET;
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor)), v;
        f = FloatVector.broadcast(S, ALL.get(FLOAT, bias));
        v = f.add(a0);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, c, Lanes.ORDER);
        v = f.add(b0);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, d, Lanes.ORDER);
        f = FloatVector.broadcast(S, ALL.get(FLOAT, bias + 4));
        v = f.add(a1);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, c + line, Lanes.ORDER);
        v = f.add(b1);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, d + line, Lanes.ORDER);
        f = FloatVector.broadcast(S, ALL.get(FLOAT, bias + 8));
        v = f.add(a2);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, c + 2 * line, Lanes.ORDER);
        v = f.add(b2);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, d + 2 * line, Lanes.ORDER);
        f = FloatVector.broadcast(S, ALL.get(FLOAT, bias + 12));
        v = f.add(a3);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, c + 3 * line, Lanes.ORDER);
        v = f.add(b3);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, d + 3 * line, Lanes.ORDER);
        f = FloatVector.broadcast(S, ALL.get(FLOAT, bias + 16));
        v = f.add(a4);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, c + 4 * line, Lanes.ORDER);
        v = f.add(b4);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, d + 4 * line, Lanes.ORDER);
        f = FloatVector.broadcast(S, ALL.get(FLOAT, bias + 20));
        v = f.add(a5);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, c + 5 * line, Lanes.ORDER);
        v = f.add(b5);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, d + 5 * line, Lanes.ORDER);
    }
}
