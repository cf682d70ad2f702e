package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;
import static io.quern.backend.vector.Lanes.ORDER;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** The gradient of a depthwise 3x3 convolution of stride 2 by the image, for one vector of channels of a slab. */
final class DepthwiseSpread {
    private static final VectorSpecies<Float> S = Lanes.F;
    /** Strides are below 2 GiB: saying so once keeps sums of masked addresses free of bounds checks. */
    private static final long STRIDE = Integer.MAX_VALUE;
    /** Always 1, but not to the compiler: it would unroll, and spill. */
    private static int step = 1;

    private DepthwiseSpread() {}

    /**
     * The gradient by the image of stride 2, two rows of it, in {@code count} blocks of 2x2: the first pixel meets the
     * middle tap only, the second of a row and the first of the next two taps, the last four.
     *
     * @param y the pixels of dy that the blocks' first pixels meet
     * @param to0 the first pixel of the upper row, {@code pixel0} bytes from the next
     * @param to1 that of the lower row
     */
    static void spread(long y, long row, long filter, int count, long to0, long pixel0, long to1, long pixel1) {
        row &= STRIDE;
        pixel0 &= STRIDE;
        pixel1 &= STRIDE;
        filter &= ADDRESS;
        FloatVector k0 = FloatVector.fromMemorySegment(S, ALL, filter, ORDER);
        FloatVector k1 = FloatVector.fromMemorySegment(S, ALL, filter + BYTES, ORDER);
        FloatVector k2 = FloatVector.fromMemorySegment(S, ALL, filter + 2 * BYTES, ORDER);
        FloatVector k3 = FloatVector.fromMemorySegment(S, ALL, filter + 3 * BYTES, ORDER);
        FloatVector k4 = FloatVector.fromMemorySegment(S, ALL, filter + 4 * BYTES, ORDER);
        FloatVector k5 = FloatVector.fromMemorySegment(S, ALL, filter + 5 * BYTES, ORDER);
        FloatVector k6 = FloatVector.fromMemorySegment(S, ALL, filter + 6 * BYTES, ORDER);
        FloatVector k7 = FloatVector.fromMemorySegment(S, ALL, filter + 7 * BYTES, ORDER);
        FloatVector k8 = FloatVector.fromMemorySegment(S, ALL, filter + 8 * BYTES, ORDER);
        for (int i = 0, one = step; i < count; i += one) {
            y &= ADDRESS;
            to0 &= ADDRESS;
            to1 &= ADDRESS;
            FloatVector a = FloatVector.fromMemorySegment(S, ALL, y, ORDER);
            FloatVector b = FloatVector.fromMemorySegment(S, ALL, y + BYTES, ORDER);
            FloatVector c = FloatVector.fromMemorySegment(S, ALL, y + row, ORDER);
            FloatVector d = FloatVector.fromMemorySegment(S, ALL, y + row + BYTES, ORDER);
            a.mul(k4).intoMemorySegment(ALL, to0, ORDER);
            b.fma(k3, a.mul(k5)).intoMemorySegment(ALL, to0 + pixel0, ORDER);
            c.fma(k1, a.mul(k7)).intoMemorySegment(ALL, to1, ORDER);
            d.fma(k0, c.fma(k2, b.fma(k6, a.mul(k8)))).intoMemorySegment(ALL, to1 + pixel1, ORDER);
            y += BYTES;
            to0 += 2 * pixel0;
            to1 += 2 * pixel1;
        }
    }
}
