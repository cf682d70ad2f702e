package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;

import io.quern.op.Winograd;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The transforms of {@link Winograd} F(4x4, 3x3), of which the source's serve {@link WinogradFive} too, a vector of channels at a time: first along columns into a small
 * buffer, then along rows. The points come in pairs of equal size and opposite sign, so that both share the sums of even
 * and of odd terms: 12 operations per six values.
 *
 * <p>The form of the loops is that of {@link ConvTiles}. Addresses and strides are in bytes. Where it can be, {@link WinogradCode}
 * is used instead.
 */
final class WinogradTransforms {
    /** Side of a tile of results, of a tile of the source, and values of a transformed tile. */
    static final int TILE = 4, SIDE = 6, POINTS = SIDE * SIDE;
    /** Vectors between the two passes of a filter or of a tile of results. */
    static final int FILTER_BUFFER = 3 * SIDE, RESULT_BUFFER = TILE * SIDE;

    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    static final float A = (float) Winograd.A, B = (float) Winograd.B, AA = A * A, BB = B * B;
    static final float EDGE = 1 / (AA * BB), NEAR = 1 / (2 * AA * (AA - BB)), FAR = 1 / (2 * BB * (BB - AA));
    /** Strides are below 2 GiB: saying so once keeps sums of masked addresses free of bounds checks. */
    private static final long STRIDE = Integer.MAX_VALUE;
    /** Always 1, but not to the compiler. */
    private static int step = 1;

    private WinogradTransforms() {}

    /** Whether a vector that was filled with zeros still is: no NaN came in. */
    static boolean isZero(long finite) {
        float sum = 0;
        for (int lane = 0; lane < Lanes.FLOATS; lane++) {
            sum += Floats.get(finite + 4L * lane);
        }
        return sum == 0;
    }

    /** Transforms six rows of {@code count} pixels along columns, into six rows {@code row} bytes apart of whole vectors. */
    static void sourceColumns(
            long r0, long r1, long r2, long r3, long r4, long r5, long pixel, int count, long to, long row) {
        FloatVector a = FloatVector.broadcast(S, A), b = FloatVector.broadcast(S, B);
        FloatVector minusA = FloatVector.broadcast(S, -A), minusB = FloatVector.broadcast(S, -B);
        FloatVector minusAA = FloatVector.broadcast(S, -AA), minusBB = FloatVector.broadcast(S, -BB);
        FloatVector product = FloatVector.broadcast(S, AA * BB), sum = FloatVector.broadcast(S, -(AA + BB));
        row &= STRIDE;
        for (int x = 0, one = step; x < count; x += one) {
            to &= ADDRESS;
            FloatVector x0 = FloatVector.fromMemorySegment(S, ALL, r0 & ADDRESS, ORDER);
            FloatVector x1 = FloatVector.fromMemorySegment(S, ALL, r1 & ADDRESS, ORDER);
            FloatVector x2 = FloatVector.fromMemorySegment(S, ALL, r2 & ADDRESS, ORDER);
            FloatVector x3 = FloatVector.fromMemorySegment(S, ALL, r3 & ADDRESS, ORDER);
            FloatVector x4 = FloatVector.fromMemorySegment(S, ALL, r4 & ADDRESS, ORDER);
            FloatVector x5 = FloatVector.fromMemorySegment(S, ALL, r5 & ADDRESS, ORDER);
            x0.fma(product, x2.fma(sum, x4)).intoMemorySegment(ALL, to, ORDER);
            FloatVector even = x2.fma(minusBB, x4), odd = x1.fma(minusBB, x3);
            odd.fma(a, even).intoMemorySegment(ALL, to + row, ORDER);
            odd.fma(minusA, even).intoMemorySegment(ALL, to + 2 * row, ORDER);
            even = x2.fma(minusAA, x4);
            odd = x1.fma(minusAA, x3);
            odd.fma(b, even).intoMemorySegment(ALL, to + 3 * row, ORDER);
            odd.fma(minusB, even).intoMemorySegment(ALL, to + 4 * row, ORDER);
            x1.fma(product, x3.fma(sum, x5)).intoMemorySegment(ALL, to + 5 * row, ORDER);
            r0 += pixel;
            r1 += pixel;
            r2 += pixel;
            r3 += pixel;
            r4 += pixel;
            r5 += pixel;
            to += BYTES;
        }
    }

    /**
     * Transforms the rows that {@link #sourceColumns} wrote, tiles {@code hop} pixels apart: value p of tile t goes to
     * {@code to + t tile + p point}.
     */
    static void sourceRows(long from, long row, int hop, int tiles, long to, long tile, long point) {
        FloatVector a = FloatVector.broadcast(S, A), b = FloatVector.broadcast(S, B);
        FloatVector minusA = FloatVector.broadcast(S, -A), minusB = FloatVector.broadcast(S, -B);
        FloatVector minusAA = FloatVector.broadcast(S, -AA), minusBB = FloatVector.broadcast(S, -BB);
        FloatVector product = FloatVector.broadcast(S, AA * BB), sum = FloatVector.broadcast(S, -(AA + BB));
        point &= STRIDE;
        for (int t = 0, one = step; t < tiles; t += one) {
            long source = from, target = to;
            for (int i = 0; i < SIDE; i += one) {
                source &= ADDRESS;
                target &= ADDRESS;
                FloatVector x0 = FloatVector.fromMemorySegment(S, ALL, source, ORDER);
                FloatVector x1 = FloatVector.fromMemorySegment(S, ALL, source + BYTES, ORDER);
                FloatVector x2 = FloatVector.fromMemorySegment(S, ALL, source + 2 * BYTES, ORDER);
                FloatVector x3 = FloatVector.fromMemorySegment(S, ALL, source + 3 * BYTES, ORDER);
                FloatVector x4 = FloatVector.fromMemorySegment(S, ALL, source + 4 * BYTES, ORDER);
                FloatVector x5 = FloatVector.fromMemorySegment(S, ALL, source + 5 * BYTES, ORDER);
                x0.fma(product, x2.fma(sum, x4)).intoMemorySegment(ALL, target, ORDER);
                FloatVector even = x2.fma(minusBB, x4), odd = x1.fma(minusBB, x3);
                odd.fma(a, even).intoMemorySegment(ALL, target + point, ORDER);
                odd.fma(minusA, even).intoMemorySegment(ALL, target + 2 * point, ORDER);
                even = x2.fma(minusAA, x4);
                odd = x1.fma(minusAA, x3);
                odd.fma(b, even).intoMemorySegment(ALL, target + 3 * point, ORDER);
                odd.fma(minusB, even).intoMemorySegment(ALL, target + 4 * point, ORDER);
                x1.fma(product, x3.fma(sum, x5)).intoMemorySegment(ALL, target + 5 * point, ORDER);
                source += row;
                target += SIDE * point;
            }
            from += (long) hop * BYTES;
            to += tile;
        }
    }

    /** Transforms filters: taps {@code tap} bytes apart, {@code rows} of them {@code row} apart; value p to {@code to + p point}. */
    static void filter(long from, long tap, long row, int rows, long buffer, long to, long pitch, long point) {
        FloatVector a = FloatVector.broadcast(S, A), b = FloatVector.broadcast(S, B);
        FloatVector aa = FloatVector.broadcast(S, AA), bb = FloatVector.broadcast(S, BB);
        FloatVector edge = FloatVector.broadcast(S, EDGE);
        FloatVector near = FloatVector.broadcast(S, NEAR), far = FloatVector.broadcast(S, FAR);
        tap &= STRIDE;
        point &= STRIDE;
        for (int d = 0, one = step; d < rows; d += one) {
            long source = from, target = buffer;
            for (int s = 0; s < 3; s += one) {
                source &= ADDRESS;
                target &= ADDRESS;
                FloatVector g0 = FloatVector.fromMemorySegment(S, ALL, source, ORDER);
                FloatVector g1 = FloatVector.fromMemorySegment(S, ALL, source + 3 * tap, ORDER);
                FloatVector g2 = FloatVector.fromMemorySegment(S, ALL, source + 6 * tap, ORDER);
                g0.mul(edge).intoMemorySegment(ALL, target, ORDER);
                FloatVector even = g2.fma(aa, g0), odd = g1.mul(a);
                even.add(odd).mul(near).intoMemorySegment(ALL, target + 3 * BYTES, ORDER);
                even.sub(odd).mul(near).intoMemorySegment(ALL, target + 6 * BYTES, ORDER);
                even = g2.fma(bb, g0);
                odd = g1.mul(b);
                even.add(odd).mul(far).intoMemorySegment(ALL, target + 9 * BYTES, ORDER);
                even.sub(odd).mul(far).intoMemorySegment(ALL, target + 12 * BYTES, ORDER);
                g2.intoMemorySegment(ALL, target + 15 * BYTES, ORDER);
                source += tap;
                target += BYTES;
            }
            source = buffer;
            target = to;
            for (int i = 0; i < SIDE; i += one) {
                source &= ADDRESS;
                target &= ADDRESS;
                FloatVector g0 = FloatVector.fromMemorySegment(S, ALL, source, ORDER);
                FloatVector g1 = FloatVector.fromMemorySegment(S, ALL, source + BYTES, ORDER);
                FloatVector g2 = FloatVector.fromMemorySegment(S, ALL, source + 2 * BYTES, ORDER);
                g0.mul(edge).intoMemorySegment(ALL, target, ORDER);
                FloatVector even = g2.fma(aa, g0), odd = g1.mul(a);
                even.add(odd).mul(near).intoMemorySegment(ALL, target + point, ORDER);
                even.sub(odd).mul(near).intoMemorySegment(ALL, target + 2 * point, ORDER);
                even = g2.fma(bb, g0);
                odd = g1.mul(b);
                even.add(odd).mul(far).intoMemorySegment(ALL, target + 3 * point, ORDER);
                even.sub(odd).mul(far).intoMemorySegment(ALL, target + 4 * point, ORDER);
                g2.intoMemorySegment(ALL, target + 5 * point, ORDER);
                source += 3 * BYTES;
                target += SIDE * point;
            }
            from += row;
            to += pitch;
        }
    }

    /** Transforms {@code vectors} of one tile's products along columns, each into {@link #RESULT_BUFFER} vectors. */
    static void resultColumns(long from, long point, int vectors, long buffer) {
        FloatVector a = FloatVector.broadcast(S, A), b = FloatVector.broadcast(S, B);
        FloatVector aa = FloatVector.broadcast(S, AA), bb = FloatVector.broadcast(S, BB);
        FloatVector aaa = FloatVector.broadcast(S, AA * A), bbb = FloatVector.broadcast(S, BB * B);
        long row = SIDE * point & STRIDE;
        for (int v = 0, one = step; v < vectors; v += one) {
            long source = from;
            for (int j = 0; j < SIDE; j += one) {
                source &= ADDRESS;
                buffer &= ADDRESS;
                FloatVector m0 = FloatVector.fromMemorySegment(S, ALL, source, ORDER);
                FloatVector m1 = FloatVector.fromMemorySegment(S, ALL, source + row, ORDER);
                FloatVector m2 = FloatVector.fromMemorySegment(S, ALL, source + 2 * row, ORDER);
                FloatVector m3 = FloatVector.fromMemorySegment(S, ALL, source + 3 * row, ORDER);
                FloatVector m4 = FloatVector.fromMemorySegment(S, ALL, source + 4 * row, ORDER);
                FloatVector m5 = FloatVector.fromMemorySegment(S, ALL, source + 5 * row, ORDER);
                FloatVector near = m1.add(m2), far = m3.add(m4);
                m0.add(near).add(far).intoMemorySegment(ALL, buffer, ORDER);
                near.fma(aa, far.mul(bb)).intoMemorySegment(ALL, buffer + 2 * SIDE * BYTES, ORDER);
                near = m1.sub(m2);
                far = m3.sub(m4);
                near.fma(a, far.mul(b)).intoMemorySegment(ALL, buffer + SIDE * BYTES, ORDER);
                near.fma(aaa, far.fma(bbb, m5)).intoMemorySegment(ALL, buffer + 3 * SIDE * BYTES, ORDER);
                source += point;
                buffer += BYTES;
            }
            from += BYTES;
            buffer += (TILE - 1) * SIDE * BYTES;
        }
    }

    /**
     * Transforms what {@link #resultColumns} wrote along rows and stores max(floor, bias + result).
     *
     * @param finite a vector that becomes NaN in some lane when a result is not finite
     */
    static void resultRows(long buffer, int vectors, long bias, int floor, long to, long pixel, long row, long finite) {
        FloatVector a = FloatVector.broadcast(S, A), b = FloatVector.broadcast(S, B);
        FloatVector aa = FloatVector.broadcast(S, AA), bb = FloatVector.broadcast(S, BB);
        FloatVector aaa = FloatVector.broadcast(S, AA * A), bbb = FloatVector.broadcast(S, BB * B);
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor)), zero = FloatVector.zero(S);
        FloatVector seen = FloatVector.fromMemorySegment(S, ALL, finite & ADDRESS, ORDER);
        pixel &= STRIDE;
        for (int v = 0, one = step; v < vectors; v += one) {
            FloatVector shift = FloatVector.fromMemorySegment(S, ALL, bias & ADDRESS, ORDER);
            long target = to;
            for (int r = 0; r < TILE; r += one) {
                buffer &= ADDRESS;
                target &= ADDRESS;
                FloatVector m0 =
                        FloatVector.fromMemorySegment(S, ALL, buffer, ORDER).add(shift);
                FloatVector m1 = FloatVector.fromMemorySegment(S, ALL, buffer + BYTES, ORDER);
                FloatVector m2 = FloatVector.fromMemorySegment(S, ALL, buffer + 2 * BYTES, ORDER);
                FloatVector m3 = FloatVector.fromMemorySegment(S, ALL, buffer + 3 * BYTES, ORDER);
                FloatVector m4 = FloatVector.fromMemorySegment(S, ALL, buffer + 4 * BYTES, ORDER);
                FloatVector m5 = FloatVector.fromMemorySegment(S, ALL, buffer + 5 * BYTES, ORDER)
                        .add(shift);
                FloatVector near = m1.add(m2), far = m3.add(m4);
                FloatVector y = m0.add(near).add(far);
                seen = y.fma(zero, seen);
                y.blend(low, y.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, target, ORDER);
                y = near.fma(aa, far.fma(bb, shift));
                seen = y.fma(zero, seen);
                y.blend(low, y.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, target + 2 * pixel, ORDER);
                near = m1.sub(m2);
                far = m3.sub(m4);
                y = near.fma(a, far.fma(b, shift));
                seen = y.fma(zero, seen);
                y.blend(low, y.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, target + pixel, ORDER);
                y = near.fma(aaa, far.fma(bbb, m5));
                seen = y.fma(zero, seen);
                y.blend(low, y.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, target + 3 * pixel, ORDER);
                buffer += SIDE * BYTES;
                target += row;
            }
            to += BYTES;
            bias += BYTES;
        }
        seen.intoMemorySegment(ALL, finite & ADDRESS, ORDER);
    }

    /**
     * The transpose of the result's transform, along columns: a tile of dy, rows {@code row} and pixels {@code pixel} apart,
     * becomes six rows of four vectors, for each of {@code vectors}.
     */
    static void signalColumns(long from, long row, long pixel, int vectors, long buffer) {
        FloatVector a = FloatVector.broadcast(S, A), b = FloatVector.broadcast(S, B);
        FloatVector aa = FloatVector.broadcast(S, AA), bb = FloatVector.broadcast(S, BB);
        row &= STRIDE;
        for (int v = 0, one = step; v < vectors; v += one) {
            long source = from;
            for (int j = 0; j < TILE; j += one) {
                source &= ADDRESS;
                buffer &= ADDRESS;
                FloatVector y0 = FloatVector.fromMemorySegment(S, ALL, source, ORDER);
                FloatVector y1 = FloatVector.fromMemorySegment(S, ALL, source + row, ORDER);
                FloatVector y2 = FloatVector.fromMemorySegment(S, ALL, source + 2 * row, ORDER);
                FloatVector y3 = FloatVector.fromMemorySegment(S, ALL, source + 3 * row, ORDER);
                y0.intoMemorySegment(ALL, buffer, ORDER);
                FloatVector even = y2.fma(aa, y0), odd = y3.fma(aa, y1).mul(a);
                even.add(odd).intoMemorySegment(ALL, buffer + TILE * BYTES, ORDER);
                even.sub(odd).intoMemorySegment(ALL, buffer + 2 * TILE * BYTES, ORDER);
                even = y2.fma(bb, y0);
                odd = y3.fma(bb, y1).mul(b);
                even.add(odd).intoMemorySegment(ALL, buffer + 3 * TILE * BYTES, ORDER);
                even.sub(odd).intoMemorySegment(ALL, buffer + 4 * TILE * BYTES, ORDER);
                y3.intoMemorySegment(ALL, buffer + 5 * TILE * BYTES, ORDER);
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
        FloatVector aa = FloatVector.broadcast(S, AA), bb = FloatVector.broadcast(S, BB);
        point &= STRIDE;
        for (int v = 0, one = step; v < vectors; v += one) {
            long target = to;
            for (int i = 0; i < SIDE; i += one) {
                buffer &= ADDRESS;
                target &= ADDRESS;
                FloatVector y0 = FloatVector.fromMemorySegment(S, ALL, buffer, ORDER);
                FloatVector y1 = FloatVector.fromMemorySegment(S, ALL, buffer + BYTES, ORDER);
                FloatVector y2 = FloatVector.fromMemorySegment(S, ALL, buffer + 2 * BYTES, ORDER);
                FloatVector y3 = FloatVector.fromMemorySegment(S, ALL, buffer + 3 * BYTES, ORDER);
                y0.intoMemorySegment(ALL, target, ORDER);
                FloatVector even = y2.fma(aa, y0), odd = y3.fma(aa, y1).mul(a);
                even.add(odd).intoMemorySegment(ALL, target + point, ORDER);
                even.sub(odd).intoMemorySegment(ALL, target + 2 * point, ORDER);
                even = y2.fma(bb, y0);
                odd = y3.fma(bb, y1).mul(b);
                even.add(odd).intoMemorySegment(ALL, target + 3 * point, ORDER);
                even.sub(odd).intoMemorySegment(ALL, target + 4 * point, ORDER);
                y3.intoMemorySegment(ALL, target + 5 * point, ORDER);
                buffer += TILE * BYTES;
                target += SIDE * point;
            }
            to += BYTES;
        }
    }

    /**
     * The transpose of the filter's transform: products {@code point} apart become nine taps {@code tap} apart.
     *
     * @param finite as for {@link #resultRows}
     */
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
                FloatVector m1 = FloatVector.fromMemorySegment(S, ALL, source + row, ORDER);
                FloatVector m2 = FloatVector.fromMemorySegment(S, ALL, source + 2 * row, ORDER);
                FloatVector m3 = FloatVector.fromMemorySegment(S, ALL, source + 3 * row, ORDER);
                FloatVector m4 = FloatVector.fromMemorySegment(S, ALL, source + 4 * row, ORDER);
                FloatVector m5 = FloatVector.fromMemorySegment(S, ALL, source + 5 * row, ORDER);
                FloatVector s = m1.add(m2).mul(near), t = m3.add(m4).mul(far);
                m0.fma(edge, s.add(t)).intoMemorySegment(ALL, target, ORDER);
                s.fma(aa, t.fma(bb, m5)).intoMemorySegment(ALL, target + 2 * SIDE * BYTES, ORDER);
                s = m1.sub(m2).mul(near);
                t = m3.sub(m4).mul(far);
                s.fma(a, t.mul(b)).intoMemorySegment(ALL, target + SIDE * BYTES, ORDER);
                source += point;
                target += BYTES;
            }
            source = buffer;
            target = to;
            for (int r = 0; r < 3; r += one) {
                target &= ADDRESS;
                source &= ADDRESS;
                FloatVector m0 = FloatVector.fromMemorySegment(S, ALL, source, ORDER);
                FloatVector m1 = FloatVector.fromMemorySegment(S, ALL, source + BYTES, ORDER);
                FloatVector m2 = FloatVector.fromMemorySegment(S, ALL, source + 2 * BYTES, ORDER);
                FloatVector m3 = FloatVector.fromMemorySegment(S, ALL, source + 3 * BYTES, ORDER);
                FloatVector m4 = FloatVector.fromMemorySegment(S, ALL, source + 4 * BYTES, ORDER);
                FloatVector m5 = FloatVector.fromMemorySegment(S, ALL, source + 5 * BYTES, ORDER);
                FloatVector s = m1.add(m2).mul(near), t = m3.add(m4).mul(far);
                FloatVector g = m0.fma(edge, s.add(t));
                seen = g.fma(zero, seen);
                g.intoMemorySegment(ALL, target, ORDER);
                g = s.fma(aa, t.fma(bb, m5));
                seen = g.fma(zero, seen);
                g.intoMemorySegment(ALL, target + 2 * tap, ORDER);
                s = m1.sub(m2).mul(near);
                t = m3.sub(m4).mul(far);
                g = s.fma(a, t.mul(b));
                seen = g.fma(zero, seen);
                g.intoMemorySegment(ALL, target + tap, ORDER);
                source += SIDE * BYTES;
                target += 3 * tap;
            }
            from += BYTES;
            to += BYTES;
        }
        seen.intoMemorySegment(ALL, finite & ADDRESS, ORDER);
    }
}
