package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.NE;

import io.quern.op.PoolGeometry;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * The gradient of windows of 2 x 2 that lie side by side: a pixel belongs to one window and is written once, so that nothing is
 * cleared, added up or kept between; it is 0 + dy, like every sum. Of equal elements the first is the largest, of a NaN and others the
 * first NaN. For channels that are a multiple of a vector, or less than one: then a vector reaches into the next pixel, which is written
 * after it, and the last windows of a row are left to the masks of {@link MaxPoolBackwardVector}.
 */
final class MaxPoolQuads {
    private MaxPoolQuads() {}

    static boolean fits(PoolGeometry geometry, int c) {
        return geometry.equals(PoolGeometry.of(2, 2)) && (c % Lanes.FLOATS == 0 || c < Lanes.FLOATS);
    }

    /**
     * Some rows of an image's gradient.
     *
     * @param top even
     * @param w pixels of a row
     * @param q windows of a row
     */
    static void band(long x, long dy, long dx, int top, int bottom, int w, int c, int q) {
        boolean narrow = c % Lanes.FLOATS != 0;
        // as many as their vectors do not pass the end of a row
        int windows = narrow ? Math.clamp(Math.floorDiv((long) q * c - Lanes.FLOATS, c) + 1, 0, q) : q;
        long rowBytes = 4L * w * c;
        long done = 8L * windows * c;
        int row = top;
        for (; row + 2 <= bottom; row += 2) {
            long from = x + row * rowBytes;
            long to = dx + row * rowBytes;
            long gradient = dy + row / 2 * 4L * q * c;
            if (narrow) {
                windows(from, gradient, to, windows, 1, 4L * c, 4L * c, rowBytes);
            } else {
                int each = c / Lanes.FLOATS;
                windows(from, gradient, to, windows * each, each, Lanes.BYTES, 4L * c, rowBytes);
            }
            Copies.zero(to + done, rowBytes - done);
            Copies.zero(to + rowBytes + done, rowBytes - done);
            for (int j = windows; j < q; j++) {
                long at = 8L * j * c;
                MaxPoolBackwardVector.part(from + at, gradient + 4L * j * c, to + at, 2, 2, rowBytes, c, 0, 2, c);
            }
        }
        Copies.zero(dx + row * rowBytes, (bottom - row) * rowBytes);
    }

    /**
     * No helpers: see {@link VectorMath} on what C2 inlines.
     *
     * @param each vectors of a window
     * @param step bytes from one to the next
     */
    private static void windows(
            long x, long dy, long dx, int vectors, int each, long step, long pixelBytes, long rowBytes) {
        // not negative, and known not to be: one address serves all
        long next = pixelBytes & Lanes.ADDRESS;
        long below = rowBytes & Lanes.ADDRESS;
        FloatVector zero = FloatVector.zero(Lanes.F);
        long at = 0;
        int left = each;
        for (int i = 0; i < vectors; i++) {
            long from = x + at & Lanes.ADDRESS;
            long to = dx + at & Lanes.ADDRESS;
            FloatVector v0 = FloatVector.fromMemorySegment(Lanes.F, ALL, from, Lanes.ORDER);
            FloatVector v1 = FloatVector.fromMemorySegment(Lanes.F, ALL, from + next, Lanes.ORDER);
            FloatVector v2 = FloatVector.fromMemorySegment(Lanes.F, ALL, from + below, Lanes.ORDER);
            FloatVector v3 = FloatVector.fromMemorySegment(Lanes.F, ALL, from + below + next, Lanes.ORDER);
            FloatVector gradient =
                    zero.add(FloatVector.fromMemorySegment(Lanes.F, ALL, dy + i * step & Lanes.ADDRESS, Lanes.ORDER));
            VectorMask<Float> first = v0.compare(GE, v1).or(v0.compare(NE, v0));
            VectorMask<Float> firstBelow = v2.compare(GE, v3).or(v2.compare(NE, v2));
            FloatVector upmost = v1.blend(v0, first);
            VectorMask<Float> above =
                    upmost.compare(GE, v3.blend(v2, firstBelow)).or(upmost.compare(NE, upmost));
            FloatVector upper = zero.blend(gradient, above);
            FloatVector lower = gradient.blend(zero, above);
            zero.blend(upper, first).intoMemorySegment(ALL, to, Lanes.ORDER);
            upper.blend(zero, first).intoMemorySegment(ALL, to + next, Lanes.ORDER);
            zero.blend(lower, firstBelow).intoMemorySegment(ALL, to + below, Lanes.ORDER);
            lower.blend(zero, firstBelow).intoMemorySegment(ALL, to + below + next, Lanes.ORDER);
            at += step;
            left--;
            if (left == 0) {
                left = each;
                at += next;
            }
        }
    }
}
