package io.quern.backend.vector;

import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.MAX;
import static jdk.incubator.vector.VectorOperators.NE;

import jdk.incubator.vector.FloatVector;

/** The sum or maximum of a run of floats, in four independent chains. */
final class ReduceRow {
    private ReduceRow() {}

    static float sum(long x, int count) {
        FloatVector a = FloatVector.zero(Lanes.F);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int i = 0;
        for (; i <= count - 4 * Lanes.FLOATS; i += 4 * Lanes.FLOATS) {
            long at = x + 4L * i;
            a = a.add(Floats.load(at));
            b = b.add(Floats.load(at + Lanes.BYTES));
            c = c.add(Floats.load(at + 2 * Lanes.BYTES));
            d = d.add(Floats.load(at + 3 * Lanes.BYTES));
        }
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            a = a.add(Floats.load(x + 4L * i));
        }
        if (i < count) {
            b = b.add(Floats.load(x + 4L * i, Floats.first(count - i)));
        }
        return Rows.sum(a.add(b).add(c.add(d)));
    }

    /** NaN if any element is. */
    static float max(long x, int count) {
        FloatVector a = Floats.all(Float.NEGATIVE_INFINITY);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int i = 0;
        for (; i <= count - 4 * Lanes.FLOATS; i += 4 * Lanes.FLOATS) {
            long at = x + 4L * i;
            a = larger(a, Floats.load(at));
            b = larger(b, Floats.load(at + Lanes.BYTES));
            c = larger(c, Floats.load(at + 2 * Lanes.BYTES));
            d = larger(d, Floats.load(at + 3 * Lanes.BYTES));
        }
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            a = larger(a, Floats.load(x + 4L * i));
        }
        float max = a.max(b).max(c.max(d)).reduceLanes(MAX);
        for (; i < count; i++) {
            max = Math.max(max, Floats.get(x + 4L * i));
        }
        return max;
    }

    /** NaN if one of them is; of zeros either. Two thirds of the instructions of the API's maximum, which orders zeros. */
    static FloatVector larger(FloatVector a, FloatVector b) {
        return a.blend(b, b.compare(GT, a).or(b.compare(NE, b)));
    }
}
