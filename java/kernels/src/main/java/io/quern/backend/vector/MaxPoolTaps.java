package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.NE;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * Which tap of each window of a row holds its maximum, and the gradient sent there: one loop over the vectors of neighbouring
 * windows, for channels that are a multiple of a vector. The taps of a window are numbered by floats, so that their masks
 * fit the values. No helpers: see {@link VectorMath} on what C2 inlines.
 *
 * @param best the windows' largest elements so far
 * @param tap their numbers
 * @param spare room for an image row
 * @param c channels
 * @param skip bytes between the last channel of a window's column and the first of the next window's
 */
record MaxPoolTaps(long best, long tap, long spare, int c, long skip) {
    /** The tap of this number is the first of {@code vectors / (c / FLOATS)} windows. */
    void start(long x, int first, int vectors, int number) {
        start(x, best + (long) first * Lanes.BYTES, tap + (long) first * Lanes.BYTES, vectors, c, skip, number);
    }

    /**
     * Compares the taps of one image row.
     *
     * @param x the row at the first window
     * @param first vectors before this window
     * @param width taps per window
     * @param number that of the first tap
     */
    void compare(long x, int first, int vectors, int width, int number) {
        long b = best + (long) first * Lanes.BYTES;
        long t = tap + (long) first * Lanes.BYTES;
        int s = 0;
        for (; width - s >= 3; s += 3) {
            three(x + 4L * s * c, b, t, vectors, c, skip, number + s);
        }
        if (width - s == 2) {
            two(x + 4L * s * c, b, t, vectors, c, skip, number + s);
        } else if (width - s == 1) {
            one(x + 4L * s * c, b, t, vectors, c, skip, number + s);
        }
    }

    /**
     * The taps of windows of 3 x 3 that hold no NaN, in place of {@link #start} and {@link #compare}: the first maximum of each
     * row, then the first of theirs, a chain half as long as that of nine in turn.
     *
     * @param x the first of three image rows at the first window
     * @param first vectors before this window
     */
    void nine(long x, long rowBytes, int first, int vectors) {
        nine(x, rowBytes, tap + (long) first * Lanes.BYTES, vectors, c, skip);
    }

    /**
     * The taps of a window of 3 x 3 of which two columns lie in the image; anything if it holds NaN.
     *
     * @param x the first of three image rows at the first of them
     * @param window this window
     * @param number that of the first tap
     */
    void six(long x, long rowBytes, int window, int number) {
        six(x, rowBytes, tap + 4L * window * c, c, number);
    }

    /** Adds dy to the pixels of one image row that are maxima; the taps of windows may be the same pixels. */
    void add(long dy, long dx, int first, int vectors, int width, int number) {
        long g = dy + (long) first * Lanes.BYTES;
        long t = tap + (long) first * Lanes.BYTES;
        if (width == 3) {
            addThree(g, t, dx, vectors, c, skip, number);
        } else if (width == 2) {
            addTwo(g, t, dx, vectors, c, skip, number);
        } else {
            // a pixel's windows in order: the later ones meet it with their earlier taps
            for (int s = width - 1; s >= 0; s--) {
                addOne(g, t, dx + 4L * s * c, vectors, c, skip, number + s);
            }
        }
    }

    /** Whether one of some elements, a multiple of a vector, is NaN. */
    static boolean hasNaN(long x, int count) {
        VectorMask<Float> nan = Lanes.F.maskAll(false);
        for (int i = 0; i < count; i += Lanes.FLOATS) {
            FloatVector v = FloatVector.fromMemorySegment(Lanes.F, ALL, x + 4L * i & Lanes.ADDRESS, Lanes.ORDER);
            nan = nan.or(v.compare(NE, v));
        }
        return nan.anyTrue();
    }

    private static void nine(long x, long rowBytes, long tap, int vectors, int c, long skip) {
        // not negative, and known not to be: one address serves all
        long next = 4L * c & Integer.MAX_VALUE;
        long below = rowBytes & Lanes.ADDRESS;
        FloatVector zero = FloatVector.zero(Lanes.F);
        long at = x;
        int channel = 0;
        for (int i = 0; i < vectors; i++) {
            long r = at & Lanes.ADDRESS;
            FloatVector v0 = FloatVector.fromMemorySegment(Lanes.F, ALL, r, Lanes.ORDER);
            FloatVector v1 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + next, Lanes.ORDER);
            FloatVector v2 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + 2 * next, Lanes.ORDER);
            VectorMask<Float> k1 = v1.compare(GT, v0);
            v0 = v0.blend(v1, k1);
            FloatVector n0 = zero.blend(1f, k1);
            VectorMask<Float> k2 = v2.compare(GT, v0);
            v0 = v0.blend(v2, k2);
            n0 = n0.blend(2f, k2);
            FloatVector v3 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + below, Lanes.ORDER);
            FloatVector v4 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + below + next, Lanes.ORDER);
            FloatVector v5 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + below + 2 * next, Lanes.ORDER);
            VectorMask<Float> k4 = v4.compare(GT, v3);
            v3 = v3.blend(v4, k4);
            FloatVector n3 = FloatVector.broadcast(Lanes.F, 3f).blend(4f, k4);
            VectorMask<Float> k5 = v5.compare(GT, v3);
            v3 = v3.blend(v5, k5);
            n3 = n3.blend(5f, k5);
            FloatVector v6 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + 2 * below, Lanes.ORDER);
            FloatVector v7 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + 2 * below + next, Lanes.ORDER);
            FloatVector v8 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + 2 * below + 2 * next, Lanes.ORDER);
            VectorMask<Float> k7 = v7.compare(GT, v6);
            v6 = v6.blend(v7, k7);
            FloatVector n6 = FloatVector.broadcast(Lanes.F, 6f).blend(7f, k7);
            VectorMask<Float> k8 = v8.compare(GT, v6);
            v6 = v6.blend(v8, k8);
            n6 = n6.blend(8f, k8);
            VectorMask<Float> k3 = v3.compare(GT, v0);
            v0 = v0.blend(v3, k3);
            n0 = n0.blend(n3, k3);
            VectorMask<Float> k6 = v6.compare(GT, v0);
            FloatVector numbers = n0.blend(n6, k6);
            numbers.intoMemorySegment(ALL, tap + (long) i * Lanes.BYTES, Lanes.ORDER);
            at += Lanes.BYTES;
            channel += Lanes.FLOATS;
            if (channel == c) {
                channel = 0;
                at += skip;
            }
        }
    }

    private static void six(long x, long rowBytes, long tap, int c, float number) {
        long next = 4L * c & Integer.MAX_VALUE;
        long below = rowBytes & Lanes.ADDRESS;
        FloatVector n = FloatVector.broadcast(Lanes.F, number);
        FloatVector zero = FloatVector.zero(Lanes.F);
        for (int channel = 0; channel < c; channel += Lanes.FLOATS) {
            long r = x + 4L * channel & Lanes.ADDRESS;
            FloatVector v0 = FloatVector.fromMemorySegment(Lanes.F, ALL, r, Lanes.ORDER);
            FloatVector v1 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + next, Lanes.ORDER);
            VectorMask<Float> k1 = v1.compare(GT, v0);
            v0 = v0.blend(v1, k1);
            FloatVector n0 = zero.blend(1f, k1);
            FloatVector v3 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + below, Lanes.ORDER);
            FloatVector v4 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + below + next, Lanes.ORDER);
            VectorMask<Float> k4 = v4.compare(GT, v3);
            v3 = v3.blend(v4, k4);
            FloatVector n3 = FloatVector.broadcast(Lanes.F, 3f).blend(4f, k4);
            FloatVector v6 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + 2 * below, Lanes.ORDER);
            FloatVector v7 = FloatVector.fromMemorySegment(Lanes.F, ALL, r + 2 * below + next, Lanes.ORDER);
            VectorMask<Float> k7 = v7.compare(GT, v6);
            v6 = v6.blend(v7, k7);
            FloatVector n6 = FloatVector.broadcast(Lanes.F, 6f).blend(7f, k7);
            VectorMask<Float> k3 = v3.compare(GT, v0);
            v0 = v0.blend(v3, k3);
            n0 = n0.blend(n3, k3);
            n0.blend(n6, v6.compare(GT, v0)).add(n).intoMemorySegment(ALL, tap + 4L * channel, Lanes.ORDER);
        }
    }

    private static void start(long x, long best, long tap, int vectors, int c, long skip, float number) {
        FloatVector first = FloatVector.broadcast(Lanes.F, number);
        long at = x;
        int channel = 0;
        for (int i = 0; i < vectors; i++) {
            long to = (long) i * Lanes.BYTES;
            FloatVector.fromMemorySegment(Lanes.F, ALL, at & Lanes.ADDRESS, Lanes.ORDER)
                    .intoMemorySegment(ALL, best + to, Lanes.ORDER);
            first.intoMemorySegment(ALL, tap + to, Lanes.ORDER);
            at += Lanes.BYTES;
            channel += Lanes.FLOATS;
            if (channel == c) {
                channel = 0;
                at += skip;
            }
        }
    }

    private static void one(long x, long best, long tap, int vectors, int c, long skip, float number) {
        FloatVector n0 = FloatVector.broadcast(Lanes.F, number);
        long at = x;
        int channel = 0;
        for (int i = 0; i < vectors; i++) {
            long to = (long) i * Lanes.BYTES;
            FloatVector largest = FloatVector.fromMemorySegment(Lanes.F, ALL, best + to, Lanes.ORDER);
            FloatVector numbers = FloatVector.fromMemorySegment(Lanes.F, ALL, tap + to, Lanes.ORDER);
            FloatVector v0 = FloatVector.fromMemorySegment(Lanes.F, ALL, at & Lanes.ADDRESS, Lanes.ORDER);
            VectorMask<Float> k0 = largest.compare(GE, v0).or(largest.compare(NE, largest));
            largest = v0.blend(largest, k0);
            numbers = n0.blend(numbers, k0);
            largest.intoMemorySegment(ALL, best + to, Lanes.ORDER);
            numbers.intoMemorySegment(ALL, tap + to, Lanes.ORDER);
            at += Lanes.BYTES;
            channel += Lanes.FLOATS;
            if (channel == c) {
                channel = 0;
                at += skip;
            }
        }
    }

    private static void two(long x, long best, long tap, int vectors, int c, long skip, float number) {
        FloatVector n0 = FloatVector.broadcast(Lanes.F, number);
        FloatVector n1 = FloatVector.broadcast(Lanes.F, number + 1);
        long next = 4L * c;
        long at = x;
        int channel = 0;
        for (int i = 0; i < vectors; i++) {
            long to = (long) i * Lanes.BYTES;
            FloatVector largest = FloatVector.fromMemorySegment(Lanes.F, ALL, best + to, Lanes.ORDER);
            FloatVector numbers = FloatVector.fromMemorySegment(Lanes.F, ALL, tap + to, Lanes.ORDER);
            FloatVector v0 = FloatVector.fromMemorySegment(Lanes.F, ALL, at & Lanes.ADDRESS, Lanes.ORDER);
            VectorMask<Float> k0 = largest.compare(GE, v0).or(largest.compare(NE, largest));
            largest = v0.blend(largest, k0);
            numbers = n0.blend(numbers, k0);
            FloatVector v1 = FloatVector.fromMemorySegment(Lanes.F, ALL, at + next & Lanes.ADDRESS, Lanes.ORDER);
            VectorMask<Float> k1 = largest.compare(GE, v1).or(largest.compare(NE, largest));
            largest = v1.blend(largest, k1);
            numbers = n1.blend(numbers, k1);
            largest.intoMemorySegment(ALL, best + to, Lanes.ORDER);
            numbers.intoMemorySegment(ALL, tap + to, Lanes.ORDER);
            at += Lanes.BYTES;
            channel += Lanes.FLOATS;
            if (channel == c) {
                channel = 0;
                at += skip;
            }
        }
    }

    private static void three(long x, long best, long tap, int vectors, int c, long skip, float number) {
        FloatVector n0 = FloatVector.broadcast(Lanes.F, number);
        FloatVector n1 = FloatVector.broadcast(Lanes.F, number + 1);
        FloatVector n2 = FloatVector.broadcast(Lanes.F, number + 2);
        long next = 4L * c;
        long at = x;
        int channel = 0;
        for (int i = 0; i < vectors; i++) {
            long to = (long) i * Lanes.BYTES;
            FloatVector largest = FloatVector.fromMemorySegment(Lanes.F, ALL, best + to, Lanes.ORDER);
            FloatVector numbers = FloatVector.fromMemorySegment(Lanes.F, ALL, tap + to, Lanes.ORDER);
            FloatVector v0 = FloatVector.fromMemorySegment(Lanes.F, ALL, at & Lanes.ADDRESS, Lanes.ORDER);
            VectorMask<Float> k0 = largest.compare(GE, v0).or(largest.compare(NE, largest));
            largest = v0.blend(largest, k0);
            numbers = n0.blend(numbers, k0);
            FloatVector v1 = FloatVector.fromMemorySegment(Lanes.F, ALL, at + next & Lanes.ADDRESS, Lanes.ORDER);
            VectorMask<Float> k1 = largest.compare(GE, v1).or(largest.compare(NE, largest));
            largest = v1.blend(largest, k1);
            numbers = n1.blend(numbers, k1);
            FloatVector v2 = FloatVector.fromMemorySegment(Lanes.F, ALL, at + 2 * next & Lanes.ADDRESS, Lanes.ORDER);
            VectorMask<Float> k2 = largest.compare(GE, v2).or(largest.compare(NE, largest));
            largest = v2.blend(largest, k2);
            numbers = n2.blend(numbers, k2);
            largest.intoMemorySegment(ALL, best + to, Lanes.ORDER);
            numbers.intoMemorySegment(ALL, tap + to, Lanes.ORDER);
            at += Lanes.BYTES;
            channel += Lanes.FLOATS;
            if (channel == c) {
                channel = 0;
                at += skip;
            }
        }
    }

    private static void addOne(long dy, long tap, long dx, int vectors, int c, long skip, float number) {
        long at = dx;
        int channel = 0;
        for (int i = 0; i < vectors; i++) {
            FloatVector g = FloatVector.fromMemorySegment(Lanes.F, ALL, dy + (long) i * Lanes.BYTES, Lanes.ORDER);
            FloatVector t = FloatVector.fromMemorySegment(Lanes.F, ALL, tap + (long) i * Lanes.BYTES, Lanes.ORDER);
            FloatVector.fromMemorySegment(Lanes.F, ALL, at & Lanes.ADDRESS, Lanes.ORDER)
                    .add(g, t.compare(EQ, number))
                    .intoMemorySegment(ALL, at & Lanes.ADDRESS, Lanes.ORDER);
            at += Lanes.BYTES;
            channel += Lanes.FLOATS;
            if (channel == c) {
                channel = 0;
                at += skip;
            }
        }
    }

    private static void addTwo(long dy, long tap, long dx, int vectors, int c, long skip, float number) {
        long next = 4L * c;
        long at = dx;
        int channel = 0;
        for (int i = 0; i < vectors; i++) {
            FloatVector g = FloatVector.fromMemorySegment(Lanes.F, ALL, dy + (long) i * Lanes.BYTES, Lanes.ORDER);
            FloatVector t = FloatVector.fromMemorySegment(Lanes.F, ALL, tap + (long) i * Lanes.BYTES, Lanes.ORDER);
            FloatVector.fromMemorySegment(Lanes.F, ALL, at & Lanes.ADDRESS, Lanes.ORDER)
                    .add(g, t.compare(EQ, number))
                    .intoMemorySegment(ALL, at & Lanes.ADDRESS, Lanes.ORDER);
            FloatVector.fromMemorySegment(Lanes.F, ALL, at + next & Lanes.ADDRESS, Lanes.ORDER)
                    .add(g, t.compare(EQ, number + 1))
                    .intoMemorySegment(ALL, at + next & Lanes.ADDRESS, Lanes.ORDER);
            at += Lanes.BYTES;
            channel += Lanes.FLOATS;
            if (channel == c) {
                channel = 0;
                at += skip;
            }
        }
    }

    private static void addThree(long dy, long tap, long dx, int vectors, int c, long skip, float number) {
        long next = 4L * c;
        long at = dx;
        int channel = 0;
        for (int i = 0; i < vectors; i++) {
            FloatVector g = FloatVector.fromMemorySegment(Lanes.F, ALL, dy + (long) i * Lanes.BYTES, Lanes.ORDER);
            FloatVector t = FloatVector.fromMemorySegment(Lanes.F, ALL, tap + (long) i * Lanes.BYTES, Lanes.ORDER);
            FloatVector.fromMemorySegment(Lanes.F, ALL, at & Lanes.ADDRESS, Lanes.ORDER)
                    .add(g, t.compare(EQ, number))
                    .intoMemorySegment(ALL, at & Lanes.ADDRESS, Lanes.ORDER);
            FloatVector.fromMemorySegment(Lanes.F, ALL, at + next & Lanes.ADDRESS, Lanes.ORDER)
                    .add(g, t.compare(EQ, number + 1))
                    .intoMemorySegment(ALL, at + next & Lanes.ADDRESS, Lanes.ORDER);
            FloatVector.fromMemorySegment(Lanes.F, ALL, at + 2 * next & Lanes.ADDRESS, Lanes.ORDER)
                    .add(g, t.compare(EQ, number + 2))
                    .intoMemorySegment(ALL, at + 2 * next & Lanes.ADDRESS, Lanes.ORDER);
            at += Lanes.BYTES;
            channel += Lanes.FLOATS;
            if (channel == c) {
                channel = 0;
                at += skip;
            }
        }
    }
}
