package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Cast;
import io.quern.tensor.BFloat16;
import io.quern.tensor.DType;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** F32 to and from BF16 and F64; integers are left to the reference. */
final class CastVector implements Kernel<Cast.Args> {
    /** As many 16-bit lanes as {@link Lanes#F} has. */
    private static final VectorSpecies<Short> HALF =
            VectorSpecies.of(short.class, VectorShape.forBitSize(Lanes.F.vectorBitSize() / 2));

    private static final VectorSpecies<Double> D = VectorSpecies.of(double.class, Lanes.F.vectorShape());
    /** As many floats as a vector of doubles has. */
    private static final VectorSpecies<Float> FEW =
            VectorSpecies.of(float.class, VectorShape.forBitSize(Lanes.F.vectorBitSize() / 2));

    private final WorkerPool pool;

    CastVector(WorkerPool pool) {
        this.pool = pool;
    }

    private interface Body {
        void run(long x, long y, int count);
    }

    @Override
    public boolean supports(Cast.Args args) {
        return args.x().isContiguous()
                && args.y().isContiguous()
                && body(args.x().dtype(), args.y().dtype()) != null;
    }

    private static Body body(DType from, DType to) {
        return switch (from) {
            case F32 ->
                switch (to) {
                    case BF16 -> CastVector::floatToHalf;
                    case F64 -> CastVector::floatToDouble;
                    case F32, I32 -> null;
                };
            case BF16 -> to == DType.F32 ? CastVector::halfToFloat : null;
            case F64 -> to == DType.F32 ? CastVector::doubleToFloat : null;
            case I32 -> null;
        };
    }

    @Override
    public void run(Cast.Args args) {
        long x = args.x().address();
        long y = args.y().address();
        int from = args.x().dtype().bytes();
        int to = args.y().dtype().bytes();
        Body body = body(args.x().dtype(), args.y().dtype());
        Ranges.run(pool, args.y().elements(), (first, count) -> body.run(x + from * first, y + to * first, count));
    }

    /** See {@link BFloat16#fromFloat}. */
    private static void floatToHalf(long x, long y, int count) {
        int i = 0;
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            FloatVector value = FloatVector.fromMemorySegment(Lanes.F, ALL, x + 4L * i, Lanes.ORDER);
            IntVector bits = value.reinterpretAsInts();
            IntVector upper = bits.lanewise(VectorOperators.LSHR, 16);
            IntVector rounded = bits.add(0x7fff).add(upper.and(1)).lanewise(VectorOperators.LSHR, 16);
            IntVector half = rounded.blend(
                    upper.or(0x40), value.compare(VectorOperators.NE, value).cast(Lanes.I));
            half.convertShape(VectorOperators.I2S, HALF, 0)
                    .reinterpretAsShorts()
                    .intoMemorySegment(ALL, y + 2L * i, Lanes.ORDER);
        }
        for (; i < count; i++) {
            float value = ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, x + 4L * i);
            ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, y + 2L * i, BFloat16.fromFloat(value));
        }
    }

    private static void halfToFloat(long x, long y, int count) {
        int i = Floats.whole(count);
        long end = 2L * i;
        for (long at = 0; at != end; at += Lanes.BYTES / 2) {
            ShortVector.fromMemorySegment(HALF, ALL, x + at & Lanes.ADDRESS, Lanes.ORDER)
                    .convertShape(VectorOperators.S2I, Lanes.I, 0)
                    .reinterpretAsInts()
                    .lanewise(VectorOperators.LSHL, 16)
                    .intoMemorySegment(ALL, y + 2 * at & Lanes.ADDRESS, Lanes.ORDER);
        }
        for (; i < count; i++) {
            int bits = ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, x + 2L * i) << 16;
            ALL.set(ValueLayout.JAVA_INT_UNALIGNED, y + 4L * i, bits);
        }
    }

    private static void floatToDouble(long x, long y, int count) {
        int i = 0;
        for (; i <= count - D.length(); i += D.length()) {
            FloatVector.fromMemorySegment(FEW, ALL, x + 4L * i, Lanes.ORDER)
                    .convertShape(VectorOperators.F2D, D, 0)
                    .reinterpretAsDoubles()
                    .intoMemorySegment(ALL, y + 8L * i, Lanes.ORDER);
        }
        for (; i < count; i++) {
            float value = ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, x + 4L * i);
            ALL.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, y + 8L * i, (double) value);
        }
    }

    private static void doubleToFloat(long x, long y, int count) {
        int i = count & -D.length();
        long end = 4L * i;
        for (long at = 0; at != end; at += Lanes.BYTES / 2) {
            DoubleVector.fromMemorySegment(D, ALL, x + 2 * at & Lanes.ADDRESS, Lanes.ORDER)
                    .convertShape(VectorOperators.D2F, FEW, 0)
                    .reinterpretAsFloats()
                    .intoMemorySegment(ALL, y + at & Lanes.ADDRESS, Lanes.ORDER);
        }
        for (; i < count; i++) {
            double value = ALL.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, x + 8L * i);
            ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, y + 4L * i, (float) value);
        }
    }
}
