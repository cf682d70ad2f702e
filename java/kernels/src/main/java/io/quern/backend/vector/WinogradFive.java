package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;
import static io.quern.backend.vector.WinogradTransforms.A;
import static io.quern.backend.vector.WinogradTransforms.AA;
import static io.quern.backend.vector.WinogradTransforms.B;
import static io.quern.backend.vector.WinogradTransforms.BB;
import static io.quern.backend.vector.WinogradTransforms.EDGE;
import static io.quern.backend.vector.WinogradTransforms.FAR;
import static io.quern.backend.vector.WinogradTransforms.NEAR;
import static io.quern.backend.vector.WinogradTransforms.SIDE;

import io.quern.op.Winograd;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The transforms of {@link Winograd} F(2x2, 5x5) that differ from those of F(4x4, 3x3): of filters, results, signals and
 * filter gradients. Same arguments and forms as in {@link WinogradTransforms}.
 */
final class WinogradFive {
    private static final int TAPS = 5, TILE = 2;
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final long STRIDE = Integer.MAX_VALUE;
    /** Always 1, but not to the compiler. */
    private static int step = 1;

    private WinogradFive() {}

    /** Filters: taps {@code tap} bytes apart, {@code rows} of them {@code row} apart; value p to {@code to + p point}. */
    static void filter(long from, long tap, long row, int rows, long buffer, long to, long pitch, long point) {
        FloatVector a = FloatVector.broadcast(S, A), b = FloatVector.broadcast(S, B);
        FloatVector aa = FloatVector.broadcast(S, AA), bb = FloatVector.broadcast(S, BB);
        FloatVector edge = FloatVector.broadcast(S, EDGE);
        FloatVector near = FloatVector.broadcast(S, NEAR), far = FloatVector.broadcast(S, FAR);
        tap &= STRIDE;
        point &= STRIDE;
        for (int d = 0, one = step; d < rows; d += one) {
            long source = from, target = buffer;
            for (int s = 0; s < TAPS; s += one) {
                source &= ADDRESS;
                target &= ADDRESS;
                FloatVector g0 = FloatVector.fromMemorySegment(S, ALL, source, ORDER);
                FloatVector g1 = FloatVector.fromMemorySegment(S, ALL, source + 5 * tap, ORDER);
                FloatVector g2 = FloatVector.fromMemorySegment(S, ALL, source + 10 * tap, ORDER);
                FloatVector g3 = FloatVector.fromMemorySegment(S, ALL, source + 15 * tap, ORDER);
                FloatVector g4 = FloatVector.fromMemorySegment(S, ALL, source + 20 * tap, ORDER);
                g0.mul(edge).intoMemorySegment(ALL, target, ORDER);
                FloatVector even = g4.fma(aa, g2).fma(aa, g0),
                        odd = g3.fma(aa, g1).mul(a);
                even.add(odd).mul(near).intoMemorySegment(ALL, target + 1 * TAPS * BYTES, ORDER);
                even.sub(odd).mul(near).intoMemorySegment(ALL, target + 2 * TAPS * BYTES, ORDER);
                even = g4.fma(bb, g2).fma(bb, g0);
                odd = g3.fma(bb, g1).mul(b);
                even.add(odd).mul(far).intoMemorySegment(ALL, target + 3 * TAPS * BYTES, ORDER);
                even.sub(odd).mul(far).intoMemorySegment(ALL, target + 4 * TAPS * BYTES, ORDER);
                g4.intoMemorySegment(ALL, target + 5 * TAPS * BYTES, ORDER);
                source += tap;
                target += BYTES;
            }
            source = buffer;
            target = to;
            for (int i = 0; i < SIDE; i += one) {
                source &= ADDRESS;
                target &= ADDRESS;
                FloatVector g0 = FloatVector.fromMemorySegment(S, ALL, source, ORDER);
                FloatVector g1 = FloatVector.fromMemorySegment(S, ALL, source + 1 * BYTES, ORDER);
                FloatVector g2 = FloatVector.fromMemorySegment(S, ALL, source + 2 * BYTES, ORDER);
                FloatVector g3 = FloatVector.fromMemorySegment(S, ALL, source + 3 * BYTES, ORDER);
                FloatVector g4 = FloatVector.fromMemorySegment(S, ALL, source + 4 * BYTES, ORDER);
                g0.mul(edge).intoMemorySegment(ALL, target, ORDER);
                FloatVector even = g4.fma(aa, g2).fma(aa, g0),
                        odd = g3.fma(aa, g1).mul(a);
                even.add(odd).mul(near).intoMemorySegment(ALL, target + 1 * point, ORDER);
                even.sub(odd).mul(near).intoMemorySegment(ALL, target + 2 * point, ORDER);
                even = g4.fma(bb, g2).fma(bb, g0);
                odd = g3.fma(bb, g1).mul(b);
                even.add(odd).mul(far).intoMemorySegment(ALL, target + 3 * point, ORDER);
                even.sub(odd).mul(far).intoMemorySegment(ALL, target + 4 * point, ORDER);
                g4.intoMemorySegment(ALL, target + 5 * point, ORDER);
                source += TAPS * BYTES;
                target += SIDE * point;
            }
            from += row;
            to += pitch;
        }
    }

    /** {@code vectors} of one tile's products along columns, each into two rows of six vectors. */
    static void resultColumns(long from, long point, int vectors, long buffer) {
        FloatVector a = FloatVector.broadcast(S, A), b = FloatVector.broadcast(S, B);
        long row = SIDE * point & STRIDE;
        for (int v = 0, one = step; v < vectors; v += one) {
            long source = from;
            for (int j = 0; j < SIDE; j += one) {
                source &= ADDRESS;
                buffer &= ADDRESS;
                FloatVector m0 = FloatVector.fromMemorySegment(S, ALL, source, ORDER);
                FloatVector m1 = FloatVector.fromMemorySegment(S, ALL, source + 1 * row, ORDER);
                FloatVector m2 = FloatVector.fromMemorySegment(S, ALL, source + 2 * row, ORDER);
                FloatVector m3 = FloatVector.fromMemorySegment(S, ALL, source + 3 * row, ORDER);
                FloatVector m4 = FloatVector.fromMemorySegment(S, ALL, source + 4 * row, ORDER);
                FloatVector m5 = FloatVector.fromMemorySegment(S, ALL, source + 5 * row, ORDER);
                m0.add(m1.add(m2)).add(m3.add(m4)).intoMemorySegment(ALL, buffer, ORDER);
                m1.sub(m2).fma(a, m3.sub(m4).fma(b, m5)).intoMemorySegment(ALL, buffer + SIDE * BYTES, ORDER);
                source += point;
                buffer += BYTES;
            }
            from += BYTES;
            buffer += (TILE - 1) * SIDE * BYTES;
        }
    }

    /** The same along rows; stores max(floor, bias + result). */
    static void resultRows(long buffer, int vectors, long bias, int floor, long to, long pixel, long row, long finite) {
        FloatVector a = FloatVector.broadcast(S, A), b = FloatVector.broadcast(S, B);
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor)), zero = FloatVector.zero(S);
        FloatVector seen = FloatVector.fromMemorySegment(S, ALL, finite & ADDRESS, ORDER);
        pixel &= STRIDE;
        for (int v = 0, one = step; v < vectors; v += one) {
            FloatVector shift = FloatVector.fromMemorySegment(S, ALL, bias & ADDRESS, ORDER);
            long target = to;
            for (int r = 0; r < TILE; r += one) {
                buffer &= ADDRESS;
                target &= ADDRESS;
                FloatVector m0 = FloatVector.fromMemorySegment(S, ALL, buffer, ORDER);
                FloatVector m1 = FloatVector.fromMemorySegment(S, ALL, buffer + 1 * BYTES, ORDER);
                FloatVector m2 = FloatVector.fromMemorySegment(S, ALL, buffer + 2 * BYTES, ORDER);
                FloatVector m3 = FloatVector.fromMemorySegment(S, ALL, buffer + 3 * BYTES, ORDER);
                FloatVector m4 = FloatVector.fromMemorySegment(S, ALL, buffer + 4 * BYTES, ORDER);
                FloatVector m5 = FloatVector.fromMemorySegment(S, ALL, buffer + 5 * BYTES, ORDER);
                FloatVector y = m0.add(shift).add(m1.add(m2)).add(m3.add(m4));
                seen = y.fma(zero, seen);
                y.blend(low, y.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, target, ORDER);
                y = m1.sub(m2).fma(a, m3.sub(m4).fma(b, m5.add(shift)));
                seen = y.fma(zero, seen);
                y.blend(low, y.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, target + pixel, ORDER);
                buffer += SIDE * BYTES;
                target += row;
            }
            to += BYTES;
            bias += BYTES;
        }
        seen.intoMemorySegment(ALL, finite & ADDRESS, ORDER);
    }

    /** A tile of dy along columns: six rows of two vectors, for each of {@code vectors}. */
    static void signalColumns(long from, long row, long pixel, int vectors, long buffer) {
        FloatVector a = FloatVector.broadcast(S, A), b = FloatVector.broadcast(S, B);
        row &= STRIDE;
        for (int v = 0, one = step; v < vectors; v += one) {
            long source = from;
            for (int j = 0; j < TILE; j += one) {
                source &= ADDRESS;
                buffer &= ADDRESS;
                FloatVector y0 = FloatVector.fromMemorySegment(S, ALL, source, ORDER);
                FloatVector y1 = FloatVector.fromMemorySegment(S, ALL, source + row, ORDER);
                y0.intoMemorySegment(ALL, buffer, ORDER);
                FloatVector odd = y1.mul(a);
                y0.add(odd).intoMemorySegment(ALL, buffer + 1 * TILE * BYTES, ORDER);
                y0.sub(odd).intoMemorySegment(ALL, buffer + 2 * TILE * BYTES, ORDER);
                odd = y1.mul(b);
                y0.add(odd).intoMemorySegment(ALL, buffer + 3 * TILE * BYTES, ORDER);
                y0.sub(odd).intoMemorySegment(ALL, buffer + 4 * TILE * BYTES, ORDER);
                y1.intoMemorySegment(ALL, buffer + 5 * TILE * BYTES, ORDER);
                source += pixel;
                buffer += BYTES;
            }
            from += BYTES;
            buffer += (SIDE - 1) * TILE * BYTES;
        }
    }

    /** The same along the rows that {@link #signalColumns} wrote; value p goes to {@code to + p point}. */
    static void signalRows(long buffer, int vectors, long to, long point) {
        FloatVector a = FloatVector.broadcast(S, A), b = FloatVector.broadcast(S, B);
        point &= STRIDE;
        for (int v = 0, one = step; v < vectors; v += one) {
            long target = to;
            for (int i = 0; i < SIDE; i += one) {
                buffer &= ADDRESS;
                target &= ADDRESS;
                FloatVector y0 = FloatVector.fromMemorySegment(S, ALL, buffer, ORDER);
                FloatVector y1 = FloatVector.fromMemorySegment(S, ALL, buffer + BYTES, ORDER);
                y0.intoMemorySegment(ALL, target, ORDER);
                FloatVector odd = y1.mul(a);
                y0.add(odd).intoMemorySegment(ALL, target + 1 * point, ORDER);
                y0.sub(odd).intoMemorySegment(ALL, target + 2 * point, ORDER);
                odd = y1.mul(b);
                y0.add(odd).intoMemorySegment(ALL, target + 3 * point, ORDER);
                y0.sub(odd).intoMemorySegment(ALL, target + 4 * point, ORDER);
                y1.intoMemorySegment(ALL, target + 5 * point, ORDER);
                buffer += TILE * BYTES;
                target += SIDE * point;
            }
            to += BYTES;
        }
    }

    /** Products {@code point} apart become 25 taps {@code tap} apart. */
    static void gradient(long from, long point, int vectors, long buffer, long to, long tap, long finite) {
        FloatVector a = FloatVector.broadcast(S, A), b = FloatVector.broadcast(S, B);
        FloatVector aa = FloatVector.broadcast(S, AA), bb = FloatVector.broadcast(S, BB);
        FloatVector edge = FloatVector.broadcast(S, EDGE), zero = FloatVector.zero(S);
        FloatVector near = FloatVector.broadcast(S, NEAR), far = FloatVector.broadcast(S, FAR);
        FloatVector seen = FloatVector.fromMemorySegment(S, ALL, finite & ADDRESS, ORDER);
        tap &= STRIDE;
        long row = SIDE * point & STRIDE;
        for (int v = 0, one = step; v < vectors; v += one) {
            long source = from, target = buffer;
            for (int j = 0; j < SIDE; j += one) {
                source &= ADDRESS;
                target &= ADDRESS;
                FloatVector m0 = FloatVector.fromMemorySegment(S, ALL, source, ORDER);
                FloatVector m1 = FloatVector.fromMemorySegment(S, ALL, source + 1 * row, ORDER);
                FloatVector m2 = FloatVector.fromMemorySegment(S, ALL, source + 2 * row, ORDER);
                FloatVector m3 = FloatVector.fromMemorySegment(S, ALL, source + 3 * row, ORDER);
                FloatVector m4 = FloatVector.fromMemorySegment(S, ALL, source + 4 * row, ORDER);
                FloatVector m5 = FloatVector.fromMemorySegment(S, ALL, source + 5 * row, ORDER);
                FloatVector s = m1.add(m2).mul(near), t = m3.add(m4).mul(far);
                m0.fma(edge, s.add(t)).intoMemorySegment(ALL, target, ORDER);
                s = s.mul(aa);
                t = t.mul(bb);
                s.add(t).intoMemorySegment(ALL, target + 2 * SIDE * BYTES, ORDER);
                s.fma(aa, t.fma(bb, m5)).intoMemorySegment(ALL, target + 4 * SIDE * BYTES, ORDER);
                s = m1.sub(m2).mul(near).mul(a);
                t = m3.sub(m4).mul(far).mul(b);
                s.add(t).intoMemorySegment(ALL, target + SIDE * BYTES, ORDER);
                s.fma(aa, t.mul(bb)).intoMemorySegment(ALL, target + 3 * SIDE * BYTES, ORDER);
                source += point;
                target += BYTES;
            }
            source = buffer;
            target = to;
            for (int r = 0; r < TAPS; r += one) {
                target &= ADDRESS;
                source &= ADDRESS;
                FloatVector m0 = FloatVector.fromMemorySegment(S, ALL, source, ORDER);
                FloatVector m1 = FloatVector.fromMemorySegment(S, ALL, source + 1 * BYTES, ORDER);
                FloatVector m2 = FloatVector.fromMemorySegment(S, ALL, source + 2 * BYTES, ORDER);
                FloatVector m3 = FloatVector.fromMemorySegment(S, ALL, source + 3 * BYTES, ORDER);
                FloatVector m4 = FloatVector.fromMemorySegment(S, ALL, source + 4 * BYTES, ORDER);
                FloatVector m5 = FloatVector.fromMemorySegment(S, ALL, source + 5 * BYTES, ORDER);
                FloatVector s = m1.add(m2).mul(near), t = m3.add(m4).mul(far);
                FloatVector g = m0.fma(edge, s.add(t));
                seen = g.fma(zero, seen);
                g.intoMemorySegment(ALL, target, ORDER);
                s = s.mul(aa);
                t = t.mul(bb);
                g = s.add(t);
                seen = g.fma(zero, seen);
                g.intoMemorySegment(ALL, target + 2 * tap, ORDER);
                g = s.fma(aa, t.fma(bb, m5));
                seen = g.fma(zero, seen);
                g.intoMemorySegment(ALL, target + 4 * tap, ORDER);
                s = m1.sub(m2).mul(near).mul(a);
                t = m3.sub(m4).mul(far).mul(b);
                g = s.add(t);
                seen = g.fma(zero, seen);
                g.intoMemorySegment(ALL, target + tap, ORDER);
                g = s.fma(aa, t.mul(bb));
                seen = g.fma(zero, seen);
                g.intoMemorySegment(ALL, target + 3 * tap, ORDER);
                source += SIDE * BYTES;
                target += TAPS * tap;
            }
            from += BYTES;
            to += BYTES;
        }
        seen.intoMemorySegment(ALL, finite & ADDRESS, ORDER);
    }
}
