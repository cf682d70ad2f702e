package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.NE;
import static jdk.incubator.vector.VectorOperators.UGT;
import static jdk.incubator.vector.VectorOperators.UMAX;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;

/** The sums or maxima of the columns of a few rows: eight rows at a time onto results that stay in cache. */
final class ReduceColumns {
    private static final int ROWS = 8;

    private ReduceColumns() {}

    /** @param stride floats from one row of x to the next */
    static void run(long x, long stride, int rows, int columns, long y, boolean max) {
        if (!max && SumCode.takesColumns()) {
            Copies.zero(y, 4L * columns);
            SumCode.columns(x, 4 * stride, rows, columns, y);
            return;
        }
        plain(x, stride, rows, columns, y, max);
    }

    /** The same without machine code. */
    static void plain(long x, long stride, int rows, int columns, long y, boolean max) {
        FillVector.fill(y, columns, max ? Float.NEGATIVE_INFINITY : 0);
        int whole = Floats.whole(columns);
        for (int row = 0; row < rows; row += ROWS) {
            long from = x + 4 * row * stride;
            int height = Math.min(ROWS, rows - row);
            if (max && height == ROWS) {
                max(from, 4 * stride, whole, y);
            } else if (max) {
                max(from, 4 * stride, height, whole, y);
            } else if (height == ROWS) {
                sum(from, 4 * stride, whole, y);
            } else {
                sum(from, 4 * stride, height, whole, y);
            }
        }
        if (whole < columns) {
            int rest = columns - whole;
            if (max) {
                maxTail(x + 4L * whole, 4 * stride, rows, rest, y + 4L * whole);
            } else {
                sumTail(x + 4L * whole, 4 * stride, rows, rest, y + 4L * whole);
            }
        }
    }

    /** Eight rows. */
    private static void sum(long x, long stride, int columns, long y) {
        for (int i = 0; i < columns; i += Lanes.FLOATS) {
            long at = x + 4L * i;
            FloatVector a = Floats.load(at).add(Floats.load(at + stride));
            FloatVector b = Floats.load(at + 2 * stride).add(Floats.load(at + 3 * stride));
            FloatVector c = Floats.load(at + 4 * stride).add(Floats.load(at + 5 * stride));
            FloatVector d = Floats.load(at + 6 * stride).add(Floats.load(at + 7 * stride));
            Floats.store(y + 4L * i, Floats.load(y + 4L * i).add(a.add(b).add(c.add(d))));
        }
    }

    private static void sum(long x, long stride, int rows, int columns, long y) {
        for (int i = 0; i < columns; i += Lanes.FLOATS) {
            FloatVector sum = Floats.load(y + 4L * i);
            for (int row = 0; row < rows; row++) {
                sum = sum.add(Floats.load(x + 4L * i + row * stride));
            }
            Floats.store(y + 4L * i, sum);
        }
    }

    /** Eight rows, by their bits: see {@link ReduceRow#max}. No helpers: see {@link VectorMath} on what C2 inlines. */
    private static void max(long x, long stride, int columns, long y) {
        long down = stride & Lanes.ADDRESS;
        for (int i = 0; i < columns; i += Lanes.FLOATS) {
            long at = x + 4L * i & Lanes.ADDRESS;
            IntVector top = IntVector.fromMemorySegment(Lanes.I, ALL, at, Lanes.ORDER);
            IntVector low = top;
            IntVector high = top;
            for (int row = 1; row < ROWS; row++) {
                at = at + down & Lanes.ADDRESS;
                IntVector v = IntVector.fromMemorySegment(Lanes.I, ALL, at, Lanes.ORDER);
                top = top.max(v);
                low = low.min(v);
                high = high.lanewise(UMAX, v);
            }
            FloatVector of = top.blend(low, top.compare(LT, 0))
                    .blend(high, high.compare(UGT, ReduceRow.LOWEST))
                    .reinterpretAsFloats();
            FloatVector old = FloatVector.fromMemorySegment(Lanes.F, ALL, y + 4L * i, Lanes.ORDER);
            old.blend(of, of.compare(GT, old).or(of.compare(NE, of))).intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER);
        }
    }

    private static void max(long x, long stride, int rows, int columns, long y) {
        for (int i = 0; i < columns; i += Lanes.FLOATS) {
            FloatVector max = Floats.load(y + 4L * i);
            for (int row = 0; row < rows; row++) {
                max = ReduceRow.larger(max, Floats.load(x + 4L * i + row * stride));
            }
            Floats.store(y + 4L * i, max);
        }
    }

    /** The last columns, less than a vector, in four chains over the rows. */
    private static void sumTail(long x, long stride, int rows, int columns, long y) {
        VectorMask<Float> tail = Floats.first(columns);
        FloatVector a = FloatVector.zero(Lanes.F);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int row = 0;
        for (; row <= rows - 4; row += 4) {
            long at = x + row * stride;
            a = a.add(Floats.load(at, tail));
            b = b.add(Floats.load(at + stride, tail));
            c = c.add(Floats.load(at + 2 * stride, tail));
            d = d.add(Floats.load(at + 3 * stride, tail));
        }
        for (; row < rows; row++) {
            a = a.add(Floats.load(x + row * stride, tail));
        }
        Floats.store(y, a.add(b).add(c.add(d)), tail);
    }

    private static void maxTail(long x, long stride, int rows, int columns, long y) {
        VectorMask<Float> tail = Floats.first(columns);
        FloatVector max = Floats.all(Float.NEGATIVE_INFINITY);
        for (int row = 0; row < rows; row++) {
            max = max.max(Floats.load(x + row * stride, tail));
        }
        Floats.store(y, max, tail);
    }
}
