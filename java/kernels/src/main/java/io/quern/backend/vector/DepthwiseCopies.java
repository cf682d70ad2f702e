package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;
import static io.quern.backend.vector.Lanes.ORDER;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Copies to the slabs of {@link DepthwiseAreas}, and filters as nine vectors per vector of channels. */
final class DepthwiseCopies {
    private static final VectorSpecies<Float> S = Lanes.F;
    /** Strides are below 2 GiB: saying so once keeps sums of masked addresses free of bounds checks. */
    private static final long STRIDE = Integer.MAX_VALUE;
    /** Always 1, but not to the compiler: it would unroll, and spill. */
    private static int step = 1;

    private DepthwiseCopies() {}

    /**
     * Copies {@code rows} rows of {@code count} pixels of some vectors to the slabs of these vectors, {@code slab} bytes apart.
     *
     * @param pixel bytes from one pixel to the next, {@code line} from one row to the next
     * @param row bytes from one row of a slab to the next
     */
    static void gather(
            long from, long pixel, long line, int rows, int count, int vectors, long to, long row, long slab) {
        if (vectors == 4) {
            gatherFour(from, pixel, line, rows, count, to, row, slab);
            return;
        }
        for (int v = 0; v < vectors; v++) {
            gatherOne(from + (long) v * BYTES, pixel, line, rows, count, to + v * slab, row);
        }
    }

    private static void gatherFour(
            long from, long pixel, long line, int rows, int count, long to, long row, long slab) {
        slab &= STRIDE;
        for (int y = 0, one = step; y < rows; y += one) {
            long source = from, target = to;
            for (int i = 0; i < count; i += one) {
                source &= ADDRESS;
                target &= ADDRESS;
                FloatVector a = FloatVector.fromMemorySegment(S, ALL, source, ORDER);
                FloatVector b = FloatVector.fromMemorySegment(S, ALL, source + BYTES, ORDER);
                FloatVector c = FloatVector.fromMemorySegment(S, ALL, source + 2 * BYTES, ORDER);
                FloatVector d = FloatVector.fromMemorySegment(S, ALL, source + 3 * BYTES, ORDER);
                a.intoMemorySegment(ALL, target, ORDER);
                b.intoMemorySegment(ALL, target + slab, ORDER);
                c.intoMemorySegment(ALL, target + 2 * slab, ORDER);
                d.intoMemorySegment(ALL, target + 3 * slab, ORDER);
                source += pixel;
                target += BYTES;
            }
            from += line;
            to += row;
        }
    }

    private static void gatherOne(long from, long pixel, long line, int rows, int count, long to, long row) {
        for (int y = 0, one = step; y < rows; y += one) {
            long source = from, target = to;
            for (int i = 0; i < count; i += one) {
                source &= ADDRESS;
                target &= ADDRESS;
                FloatVector.fromMemorySegment(S, ALL, source, ORDER).intoMemorySegment(ALL, target, ORDER);
                source += pixel;
                target += BYTES;
            }
            from += line;
            to += row;
        }
    }

    /** Zeroes {@code count} pixels of each of {@code rows} rows of a slab. */
    static void zero(long to, long row, int rows, int count) {
        FloatVector zero = FloatVector.zero(S);
        for (int y = 0, one = step; y < rows; y += one) {
            long at = to;
            for (int i = 0; i < count; i += one) {
                at &= ADDRESS;
                zero.intoMemorySegment(ALL, at, ORDER);
                at += BYTES;
            }
            to += row;
        }
    }

    /** Nine rows of {@code tap} bytes as nine vectors per vector of channels. */
    static void pack(long filter, long tap, int vectors, long to) {
        for (int v = 0; v < vectors; v++) {
            for (int i = 0; i < ConvDepthwise.TAPS; i++, to += BYTES) {
                Copies.copy(filter + i * tap + (long) v * BYTES, to, BYTES);
            }
        }
    }

    /** The reverse of {@link #pack}. */
    static void unpack(long from, int vectors, long filter, long tap) {
        for (int v = 0; v < vectors; v++) {
            for (int i = 0; i < ConvDepthwise.TAPS; i++, from += BYTES) {
                Copies.copy(from, filter + i * tap + (long) v * BYTES, BYTES);
            }
        }
    }
}
