package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.MAX;
import static jdk.incubator.vector.VectorOperators.MIN;
import static jdk.incubator.vector.VectorOperators.NE;
import static jdk.incubator.vector.VectorOperators.UGT;
import static jdk.incubator.vector.VectorOperators.UMAX;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * The sum or maximum of a run of floats, in independent chains.
 *
 * <p>The loops are not counted, so that C2 leaves them as they are. It would unroll them and order the loads by chains, each
 * a few lines from the last, which no prefetching follows: 33 GB/s beyond the caches instead of 43.
 */
final class ReduceRow {
    /** The bits of minus infinity: without sign, only those of a negative NaN are larger. */
    static final int LOWEST = Float.floatToRawIntBits(Float.NEGATIVE_INFINITY);

    private ReduceRow() {}

    static float sum(long x, int count) {
        FloatVector a = FloatVector.zero(Lanes.F);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        long i = 0;
        long end = count & -4 * Lanes.FLOATS;
        for (; i != end; i += 4 * Lanes.FLOATS) {
            long at = x + 4 * i & Lanes.ADDRESS;
            a = a.add(Floats.load(at));
            b = b.add(Floats.load(at + Lanes.BYTES));
            c = c.add(Floats.load(at + 2 * Lanes.BYTES));
            d = d.add(Floats.load(at + 3 * Lanes.BYTES));
        }
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            a = a.add(Floats.load(x + 4 * i));
        }
        if (i < count) {
            b = b.add(Floats.load(x + 4 * i, Floats.first((int) (count - i))));
        }
        return Rows.sum(a.add(b).add(c.add(d)));
    }

    /**
     * NaN if any element is. By the bits, as integers: those of positive floats order like them, the maximum of negative
     * ones is the least, and a negative NaN, passed over by both, is above minus infinity without sign. Three instructions
     * a vector, each a cycle, where floats take four and wait for masks.
     */
    static float max(long x, int count) {
        if (count < Lanes.FLOATS) {
            float max = Floats.get(x);
            for (int i = 1; i < count; i++) {
                max = Math.max(max, Floats.get(x + 4L * i));
            }
            return max;
        }
        // some elements of the last vectors are met twice, which a maximum does not mind
        IntVector last = bits(x + 4L * (count - Lanes.FLOATS));
        IntVector a = last;
        IntVector b = last;
        IntVector lowA = last;
        IntVector lowB = last;
        IntVector highA = last;
        IntVector highB = last;
        long i = 0;
        long end = count & -2 * Lanes.FLOATS;
        for (; i != end; i += 2 * Lanes.FLOATS) {
            long at = x + 4 * i & Lanes.ADDRESS;
            IntVector v = bits(at);
            IntVector w = bits(at + Lanes.BYTES);
            a = a.max(v);
            b = b.max(w);
            lowA = lowA.min(v);
            lowB = lowB.min(w);
            highA = highA.lanewise(UMAX, v);
            highB = highB.lanewise(UMAX, w);
        }
        if (i <= count - Lanes.FLOATS) {
            IntVector v = bits(x + 4 * i);
            a = a.max(v);
            lowA = lowA.min(v);
            highA = highA.lanewise(UMAX, v);
        }
        if (highA.lanewise(UMAX, highB).compare(UGT, LOWEST).anyTrue()) {
            return Float.NaN;
        }
        int top = a.max(b).reduceLanes(MAX);
        return Float.intBitsToFloat(top >= 0 ? top : lowA.min(lowB).reduceLanes(MIN));
    }

    private static IntVector bits(long address) {
        return IntVector.fromMemorySegment(Lanes.I, ALL, address, Lanes.ORDER);
    }

    /** NaN if one of them is; of zeros either. Two thirds of the instructions of the API's maximum, which orders zeros. */
    static FloatVector larger(FloatVector a, FloatVector b) {
        return a.blend(b, b.compare(GT, a).or(b.compare(NE, b)));
    }
}
