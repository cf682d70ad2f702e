package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.op.PoolGeometry;
import jdk.incubator.vector.FloatVector;

/**
 * The gradient of an image row where windows of 3 columns meet every other column: a pixel in the middle of one window and
 * the pixel after it, which that window shares with the next, are summed in registers from four gradients at most.
 */
final class AvgPoolGather {
    private AvgPoolGather() {}

    /** For channels that are a multiple of a vector, where at most two rows of windows reach into an image row. */
    static boolean fits(PoolGeometry geometry, int c) {
        return geometry.windowW() == 3
                && geometry.strideW() == 2
                && geometry.windowH() <= 2 * geometry.strideH()
                && c % Lanes.FLOATS == 0;
    }

    /**
     * Pairs of pixels, from the middle of a window on.
     *
     * @param dx of the first pixel
     * @param a gradient of the window around it, in the first row of windows that reaches here
     * @param shareA the part of each of that row's gradients that a pixel gets
     * @param b, shareB of the second row; b is 0 where only one row reaches here
     * @param pairs how many; all their windows have the same number of pixels, as has the one behind the last
     */
    static void pairs(long dx, long a, float shareA, long b, float shareB, int pairs, int c) {
        int vectors = pairs * (c / Lanes.FLOATS);
        if (b == 0) {
            one(dx, a, shareA, vectors, c);
        } else {
            two(dx, a, shareA, b, shareB, vectors, c);
        }
    }

    private static void one(long dx, long dy, float share, int vectors, int c) {
        FloatVector zero = FloatVector.zero(Lanes.F);
        // not negative, and known not to be: one address serves all
        long next = 4L * c & Lanes.OFFSET;
        long to = dx;
        int channel = 0;
        for (int i = 0; i < vectors; i++) {
            long at = dy + (long) i * Lanes.BYTES & Lanes.ADDRESS;
            to &= Lanes.ADDRESS;
            FloatVector middle = zero.add(Floats.load(at).mul(share));
            middle.intoMemorySegment(ALL, to, Lanes.ORDER);
            middle.add(Floats.load(at + next).mul(share)).intoMemorySegment(ALL, to + next, Lanes.ORDER);
            to += Lanes.BYTES;
            channel += Lanes.FLOATS;
            if (channel == c) {
                channel = 0;
                to += next;
            }
        }
    }

    private static void two(long dx, long dyA, float shareA, long dyB, float shareB, int vectors, int c) {
        FloatVector zero = FloatVector.zero(Lanes.F);
        long next = 4L * c & Lanes.OFFSET;
        long to = dx;
        int channel = 0;
        for (int i = 0; i < vectors; i++) {
            long a = dyA + (long) i * Lanes.BYTES & Lanes.ADDRESS;
            long b = dyB + (long) i * Lanes.BYTES & Lanes.ADDRESS;
            to &= Lanes.ADDRESS;
            FloatVector above = zero.add(Floats.load(a).mul(shareA));
            FloatVector below = Floats.load(b).mul(shareB);
            above.add(below).intoMemorySegment(ALL, to, Lanes.ORDER);
            above.add(Floats.load(a + next).mul(shareA))
                    .add(below)
                    .add(Floats.load(b + next).mul(shareB))
                    .intoMemorySegment(ALL, to + next, Lanes.ORDER);
            to += Lanes.BYTES;
            channel += Lanes.FLOATS;
            if (channel == c) {
                channel = 0;
                to += next;
            }
        }
    }
}
