package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.NE;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;

/**
 * The larger of elements; NaN if one is. Of the operations: b unless a is as large, in two thirds of the instructions of
 * the API's maximum, which orders zeros. No helpers: see {@link VectorMath} on what C2 inlines.
 */
final class PoolMaximum implements PoolFold {
    @Override
    public void two(long a, long b, long to, int count) {
        int i = 0;
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            long at = 4L * i;
            FloatVector va = FloatVector.fromMemorySegment(Lanes.F, ALL, a + at, Lanes.ORDER);
            FloatVector vb = FloatVector.fromMemorySegment(Lanes.F, ALL, b + at, Lanes.ORDER);
            va.blend(vb, vb.compare(GT, va).or(vb.compare(NE, vb))).intoMemorySegment(ALL, to + at, Lanes.ORDER);
        }
        if (i < count) {
            VectorMask<Float> tail = Lanes.F.indexInRange(0, count - i);
            long at = 4L * i;
            FloatVector va = FloatVector.fromMemorySegment(Lanes.F, ALL, a + at, Lanes.ORDER, tail);
            FloatVector vb = FloatVector.fromMemorySegment(Lanes.F, ALL, b + at, Lanes.ORDER, tail);
            va.blend(vb, vb.compare(GT, va).or(vb.compare(NE, vb))).intoMemorySegment(ALL, to + at, Lanes.ORDER, tail);
        }
    }

    @Override
    public void three(long a, long b, long c, long to, int count) {
        int i = 0;
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            long at = 4L * i;
            FloatVector va = FloatVector.fromMemorySegment(Lanes.F, ALL, a + at, Lanes.ORDER);
            FloatVector vb = FloatVector.fromMemorySegment(Lanes.F, ALL, b + at, Lanes.ORDER);
            FloatVector vc = FloatVector.fromMemorySegment(Lanes.F, ALL, c + at, Lanes.ORDER);
            FloatVector ab = va.blend(vb, vb.compare(GT, va).or(vb.compare(NE, vb)));
            ab.blend(vc, vc.compare(GT, ab).or(vc.compare(NE, vc))).intoMemorySegment(ALL, to + at, Lanes.ORDER);
        }
        if (i < count) {
            VectorMask<Float> tail = Lanes.F.indexInRange(0, count - i);
            long at = 4L * i;
            FloatVector va = FloatVector.fromMemorySegment(Lanes.F, ALL, a + at, Lanes.ORDER, tail);
            FloatVector vb = FloatVector.fromMemorySegment(Lanes.F, ALL, b + at, Lanes.ORDER, tail);
            FloatVector vc = FloatVector.fromMemorySegment(Lanes.F, ALL, c + at, Lanes.ORDER, tail);
            FloatVector ab = va.blend(vb, vb.compare(GT, va).or(vb.compare(NE, vb)));
            ab.blend(vc, vc.compare(GT, ab).or(vc.compare(NE, vc))).intoMemorySegment(ALL, to + at, Lanes.ORDER, tail);
        }
    }

    @Override
    public void windows(long x, long y, int count, int step, int c, int width, float divisor) {
        boolean wholeVectors = c % Lanes.FLOATS == 0;
        int vectors = count * (c / Lanes.FLOATS);
        long skip = 4L * (step - c);
        if (wholeVectors && width == 2) {
            pairs(x, y, vectors, c, skip);
        } else if (wholeVectors && width == 3) {
            triples(x, y, vectors, c, skip);
        } else {
            for (int j = 0; j < count; j++) {
                any(x + 4L * j * step, y + 4L * j * c, c, width);
            }
        }
    }

    /** One loop over the vectors of all windows: a loop over the few of each would cost more than its work. */
    private static void pairs(long x, long y, int vectors, int c, long skip) {
        long next = 4L * c;
        long at = x;
        int channel = 0;
        for (int i = 0; i < vectors; i++) {
            FloatVector a = FloatVector.fromMemorySegment(Lanes.F, ALL, at & Lanes.ADDRESS, Lanes.ORDER);
            FloatVector b = FloatVector.fromMemorySegment(Lanes.F, ALL, at + next & Lanes.ADDRESS, Lanes.ORDER);
            FloatVector result = a.blend(b, b.compare(GT, a).or(b.compare(NE, b)));
            result.intoMemorySegment(ALL, y + (long) i * Lanes.BYTES, Lanes.ORDER);
            at += Lanes.BYTES;
            channel += Lanes.FLOATS;
            if (channel == c) {
                channel = 0;
                at += skip;
            }
        }
    }

    private static void triples(long x, long y, int vectors, int c, long skip) {
        long next = 4L * c;
        long at = x;
        int channel = 0;
        for (int i = 0; i < vectors; i++) {
            FloatVector a = FloatVector.fromMemorySegment(Lanes.F, ALL, at & Lanes.ADDRESS, Lanes.ORDER);
            FloatVector b = FloatVector.fromMemorySegment(Lanes.F, ALL, at + next & Lanes.ADDRESS, Lanes.ORDER);
            FloatVector last = FloatVector.fromMemorySegment(Lanes.F, ALL, at + 2 * next & Lanes.ADDRESS, Lanes.ORDER);
            FloatVector ab = a.blend(b, b.compare(GT, a).or(b.compare(NE, b)));
            FloatVector result = ab.blend(last, last.compare(GT, ab).or(last.compare(NE, last)));
            result.intoMemorySegment(ALL, y + (long) i * Lanes.BYTES, Lanes.ORDER);
            at += Lanes.BYTES;
            channel += Lanes.FLOATS;
            if (channel == c) {
                channel = 0;
                at += skip;
            }
        }
    }

    private static void any(long x, long y, int c, int width) {
        int i = 0;
        for (; i <= c - Lanes.FLOATS; i += Lanes.FLOATS) {
            long at = x + 4L * i;
            FloatVector result = FloatVector.fromMemorySegment(Lanes.F, ALL, at & Lanes.ADDRESS, Lanes.ORDER);
            for (int s = 1; s < width; s++) {
                at += 4L * c;
                FloatVector next = FloatVector.fromMemorySegment(Lanes.F, ALL, at & Lanes.ADDRESS, Lanes.ORDER);
                result = result.blend(next, next.compare(GT, result).or(next.compare(NE, next)));
            }
            result.intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER);
        }
        if (i < c) {
            VectorMask<Float> tail = Lanes.F.indexInRange(0, c - i);
            long at = x + 4L * i;
            FloatVector result = FloatVector.fromMemorySegment(Lanes.F, ALL, at & Lanes.ADDRESS, Lanes.ORDER, tail);
            for (int s = 1; s < width; s++) {
                at += 4L * c;
                FloatVector next = FloatVector.fromMemorySegment(Lanes.F, ALL, at & Lanes.ADDRESS, Lanes.ORDER, tail);
                result = result.blend(next, next.compare(GT, result).or(next.compare(NE, next)));
            }
            result.intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER, tail);
        }
    }

    @Override
    public void group(long x, long y, int groups, int step, int c, int width, int[] picks, int lanes, float divisor) {
        IntVector pick = IntVector.fromArray(Lanes.I, picks, 0);
        VectorMask<Float> mask = Lanes.F.indexInRange(0, lanes);
        for (int g = 0; g < groups; g++) {
            long at = x + 4L * g * step;
            IntVector low = IntVector.fromMemorySegment(Lanes.I, ALL, at & Lanes.ADDRESS, Lanes.ORDER);
            IntVector high = IntVector.fromMemorySegment(Lanes.I, ALL, at + Lanes.BYTES & Lanes.ADDRESS, Lanes.ORDER);
            FloatVector result = pick.selectFrom(low, high).reinterpretAsFloats();
            for (int s = 1; s < width; s++) {
                at += 4L * c;
                low = IntVector.fromMemorySegment(Lanes.I, ALL, at & Lanes.ADDRESS, Lanes.ORDER);
                high = IntVector.fromMemorySegment(Lanes.I, ALL, at + Lanes.BYTES & Lanes.ADDRESS, Lanes.ORDER);
                FloatVector next = pick.selectFrom(low, high).reinterpretAsFloats();
                result = result.blend(next, next.compare(GT, result).or(next.compare(NE, next)));
            }
            result.intoMemorySegment(ALL, y + 4L * g * lanes, Lanes.ORDER, mask);
        }
    }
}
