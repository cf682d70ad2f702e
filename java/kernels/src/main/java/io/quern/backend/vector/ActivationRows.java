package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.ScalarMath.*;
import static jdk.incubator.vector.VectorOperators.FMA;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.UMIN;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * y = f(x) or f(x + bias) on rows of a matrix, for epilogues: one reading of the block. With the operations of {@link VectorMath}
 * in their order, so bits are those of bias and activation one after the other. With the API throughout: C2 would leave a
 * helper behind so much of it as a call, and all registers would pass through memory.
 */
final class ActivationRows {
    /** Columns come in multiples of this. */
    static final int STEP = 2 * Lanes.FLOATS;

    /** Of two 512-bit vectors: what drops is for these alone. */
    private static final ValueLayout.OfInt BITS = ValueLayout.JAVA_INT_UNALIGNED;

    private ActivationRows() {}

    /**
     * c = max(c + bias, 0), NaN staying.
     *
     * @param stride bytes from row to row
     * @param columns a multiple of {@link #STEP}
     */
    static void biasRelu(long c, long stride, long bias, int rows, int columns) {
        long end = 4L * columns;
        for (int i = 0; i < rows; i++, c += stride) {
            for (long at = 0; at != end; at += 2 * Lanes.BYTES) {
                long to = c + at & Lanes.ADDRESS, from = bias + at & Lanes.ADDRESS;
                FloatVector a = FloatVector.fromMemorySegment(Lanes.F, ALL, to, Lanes.ORDER)
                        .add(FloatVector.fromMemorySegment(Lanes.F, ALL, from, Lanes.ORDER));
                FloatVector b = FloatVector.fromMemorySegment(Lanes.F, ALL, to + Lanes.BYTES, Lanes.ORDER)
                        .add(FloatVector.fromMemorySegment(Lanes.F, ALL, from + Lanes.BYTES, Lanes.ORDER));
                a.blend(0f, a.compare(LT, 0f)).intoMemorySegment(ALL, to, Lanes.ORDER);
                b.blend(0f, b.compare(LT, 0f)).intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
            }
        }
    }

    /**
     * Of f(c + bias) what {@link DropoutBits} let live, scaled; else 0.
     *
     * @param bits of the rows, {@code columns} bits each
     */
    static void biasReluDrop(long c, long stride, long bias, int rows, int columns, long bits, float scale) {
        for (int i = 0; i < rows; i++, c += stride) {
            for (int j = 0; j < columns; j += STEP, bits += STEP / 8) {
                int drop = ALL.get(BITS, bits & Lanes.ADDRESS);
                long to = c + 4L * j & Lanes.ADDRESS, from = bias + 4L * j & Lanes.ADDRESS;
                FloatVector a = FloatVector.fromMemorySegment(Lanes.F, ALL, to, Lanes.ORDER)
                        .add(FloatVector.fromMemorySegment(Lanes.F, ALL, from, Lanes.ORDER));
                FloatVector b = FloatVector.fromMemorySegment(Lanes.F, ALL, to + Lanes.BYTES, Lanes.ORDER)
                        .add(FloatVector.fromMemorySegment(Lanes.F, ALL, from + Lanes.BYTES, Lanes.ORDER));
                a.blend(0f, a.compare(LT, 0f))
                        .mul(scale)
                        .blend(0f, VectorMask.fromLong(Lanes.F, drop & 0xffff))
                        .intoMemorySegment(ALL, to, Lanes.ORDER);
                b.blend(0f, b.compare(LT, 0f))
                        .mul(scale)
                        .blend(0f, VectorMask.fromLong(Lanes.F, drop >>> 16))
                        .intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
            }
        }
    }

    /** c = gelu(c + bias): two vectors at a time, so that one's chain of dependent steps fills the other's. */
    static void biasGelu(long c, long stride, long bias, int rows, int columns) {
        for (int i = 0; i < rows; i++, c += stride) {
            for (int j = 0; j < columns; j += STEP) {
                long to = c + 4L * j & Lanes.ADDRESS, from = bias + 4L * j & Lanes.ADDRESS;
                FloatVector a = FloatVector.fromMemorySegment(Lanes.F, ALL, to, Lanes.ORDER)
                        .add(FloatVector.fromMemorySegment(Lanes.F, ALL, from, Lanes.ORDER));
                FloatVector b = FloatVector.fromMemorySegment(Lanes.F, ALL, to + Lanes.BYTES, Lanes.ORDER)
                        .add(FloatVector.fromMemorySegment(Lanes.F, ALL, from + Lanes.BYTES, Lanes.ORDER));
                FloatVector at = a.mul(a).fma(GELU_CUBIC_2, GELU_LINEAR_2).mul(a);
                FloatVector bt = b.mul(b).fma(GELU_CUBIC_2, GELU_LINEAR_2).mul(b);
                FloatVector aLow =
                        at.reinterpretAsInts().lanewise(UMIN, GELU_ONE).reinterpretAsFloats();
                FloatVector bLow =
                        bt.reinterpretAsInts().lanewise(UMIN, GELU_ONE).reinterpretAsFloats();
                FloatVector aRounded = aLow.add(ROUND), bRounded = bLow.add(ROUND);
                FloatVector ar = aLow.sub(aRounded.sub(ROUND)), br = bLow.sub(bRounded.sub(ROUND));
                FloatVector ap = ar.fma(P5, P4).lanewise(FMA, ar, P3).lanewise(FMA, ar, P2);
                FloatVector bp = br.fma(P5, P4).lanewise(FMA, br, P3).lanewise(FMA, br, P2);
                ap = ap.lanewise(FMA, ar, P1).lanewise(FMA, ar, 1f);
                bp = bp.lanewise(FMA, br, P1).lanewise(FMA, br, 1f);
                FloatVector aPower = ap.reinterpretAsInts()
                        .add(aRounded.reinterpretAsInts().lanewise(LSHL, 23))
                        .reinterpretAsFloats();
                FloatVector bPower = bp.reinterpretAsInts()
                        .add(bRounded.reinterpretAsInts().lanewise(LSHL, 23))
                        .reinterpretAsFloats();
                a.div(aPower.add(1f)).blend(-0f, at.compare(GT, GELU_ZERO)).intoMemorySegment(ALL, to, Lanes.ORDER);
                b.div(bPower.add(1f))
                        .blend(-0f, bt.compare(GT, GELU_ZERO))
                        .intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
            }
        }
    }

    /** As {@link #biasReluDrop}. */
    static void biasGeluDrop(long c, long stride, long bias, int rows, int columns, long bits, float scale) {
        for (int i = 0; i < rows; i++, c += stride) {
            for (int j = 0; j < columns; j += STEP, bits += STEP / 8) {
                int drop = ALL.get(BITS, bits & Lanes.ADDRESS);
                long to = c + 4L * j & Lanes.ADDRESS, from = bias + 4L * j & Lanes.ADDRESS;
                FloatVector a = FloatVector.fromMemorySegment(Lanes.F, ALL, to, Lanes.ORDER)
                        .add(FloatVector.fromMemorySegment(Lanes.F, ALL, from, Lanes.ORDER));
                FloatVector b = FloatVector.fromMemorySegment(Lanes.F, ALL, to + Lanes.BYTES, Lanes.ORDER)
                        .add(FloatVector.fromMemorySegment(Lanes.F, ALL, from + Lanes.BYTES, Lanes.ORDER));
                FloatVector at = a.mul(a).fma(GELU_CUBIC_2, GELU_LINEAR_2).mul(a);
                FloatVector bt = b.mul(b).fma(GELU_CUBIC_2, GELU_LINEAR_2).mul(b);
                FloatVector aLow =
                        at.reinterpretAsInts().lanewise(UMIN, GELU_ONE).reinterpretAsFloats();
                FloatVector bLow =
                        bt.reinterpretAsInts().lanewise(UMIN, GELU_ONE).reinterpretAsFloats();
                FloatVector aRounded = aLow.add(ROUND), bRounded = bLow.add(ROUND);
                FloatVector ar = aLow.sub(aRounded.sub(ROUND)), br = bLow.sub(bRounded.sub(ROUND));
                FloatVector ap = ar.fma(P5, P4).lanewise(FMA, ar, P3).lanewise(FMA, ar, P2);
                FloatVector bp = br.fma(P5, P4).lanewise(FMA, br, P3).lanewise(FMA, br, P2);
                ap = ap.lanewise(FMA, ar, P1).lanewise(FMA, ar, 1f);
                bp = bp.lanewise(FMA, br, P1).lanewise(FMA, br, 1f);
                FloatVector aPower = ap.reinterpretAsInts()
                        .add(aRounded.reinterpretAsInts().lanewise(LSHL, 23))
                        .reinterpretAsFloats();
                FloatVector bPower = bp.reinterpretAsInts()
                        .add(bRounded.reinterpretAsInts().lanewise(LSHL, 23))
                        .reinterpretAsFloats();
                a.div(aPower.add(1f))
                        .blend(-0f, at.compare(GT, GELU_ZERO))
                        .mul(scale)
                        .blend(0f, VectorMask.fromLong(Lanes.F, drop & 0xffff))
                        .intoMemorySegment(ALL, to, Lanes.ORDER);
                b.div(bPower.add(1f))
                        .blend(-0f, bt.compare(GT, GELU_ZERO))
                        .mul(scale)
                        .blend(0f, VectorMask.fromLong(Lanes.F, drop >>> 16))
                        .intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
            }
        }
    }

    /** y = gelu(x) of {@code count} floats in a row, a multiple of {@link #STEP}. */
    static void gelu(long x, long y, int count) {
        for (int i = 0; i < count; i += STEP) {
            long from = x + 4L * i & Lanes.ADDRESS, to = y + 4L * i & Lanes.ADDRESS;
            FloatVector a = FloatVector.fromMemorySegment(Lanes.F, ALL, from, Lanes.ORDER);
            FloatVector b = FloatVector.fromMemorySegment(Lanes.F, ALL, from + Lanes.BYTES, Lanes.ORDER);
            FloatVector at = a.mul(a).fma(GELU_CUBIC_2, GELU_LINEAR_2).mul(a);
            FloatVector bt = b.mul(b).fma(GELU_CUBIC_2, GELU_LINEAR_2).mul(b);
            FloatVector aLow = at.reinterpretAsInts().lanewise(UMIN, GELU_ONE).reinterpretAsFloats();
            FloatVector bLow = bt.reinterpretAsInts().lanewise(UMIN, GELU_ONE).reinterpretAsFloats();
            FloatVector aRounded = aLow.add(ROUND), bRounded = bLow.add(ROUND);
            FloatVector ar = aLow.sub(aRounded.sub(ROUND)), br = bLow.sub(bRounded.sub(ROUND));
            FloatVector ap = ar.fma(P5, P4).lanewise(FMA, ar, P3).lanewise(FMA, ar, P2);
            FloatVector bp = br.fma(P5, P4).lanewise(FMA, br, P3).lanewise(FMA, br, P2);
            ap = ap.lanewise(FMA, ar, P1).lanewise(FMA, ar, 1f);
            bp = bp.lanewise(FMA, br, P1).lanewise(FMA, br, 1f);
            FloatVector aPower = ap.reinterpretAsInts()
                    .add(aRounded.reinterpretAsInts().lanewise(LSHL, 23))
                    .reinterpretAsFloats();
            FloatVector bPower = bp.reinterpretAsInts()
                    .add(bRounded.reinterpretAsInts().lanewise(LSHL, 23))
                    .reinterpretAsFloats();
            a.div(aPower.add(1f)).blend(-0f, at.compare(GT, GELU_ZERO)).intoMemorySegment(ALL, to, Lanes.ORDER);
            b.div(bPower.add(1f))
                    .blend(-0f, bt.compare(GT, GELU_ZERO))
                    .intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        }
    }
}
