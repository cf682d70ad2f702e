package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.StreamAssembler.A;
import static io.quern.backend.vector.StreamAssembler.FIRST;
import static io.quern.backend.vector.StreamAssembler.SECOND;
import static io.quern.backend.vector.StreamAssembler.UNORDERED;

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

    /** {@link #floatToHalf} under the constants 1 and 0x7fff. */
    private static final StreamCode FLOAT_TO_HALF = StreamCode.of(2, 4, step -> {
        step.load(0, A);
        step.shiftRight(1, 0, 16);
        step.and(2, 1, FIRST);
        step.addIntegers(2, 2, SECOND);
        step.addIntegers(2, 2, 0);
        step.shiftRight(2, 2, 16);
        step.shiftLeft(3, FIRST, 6); // 0x40, the highest bit of a NaN's fraction
        step.or(1, 1, 3);
        step.compare(0, 0, UNORDERED);
        step.moveWhere(2, 1);
        step.lowerHalves(2, 2);
        step.storeHalf(2);
    });

    private static final StreamCode HALF_TO_FLOAT = StreamCode.of(4, 2, step -> {
        step.loadShorts(0, A);
        step.shiftLeft(0, 0, 16);
        step.store(0);
    });

    private static final StreamCode FLOAT_TO_DOUBLE = StreamCode.of(8, 4, step -> {
        step.loadAsDoubles(0, A);
        step.store(0);
    });

    private static final StreamCode DOUBLE_TO_FLOAT = StreamCode.of(4, 8, step -> {
        step.loadDoubles(0, A);
        step.storeHalf(0);
    });

    private final WorkerPool pool;

    CastVector(WorkerPool pool) {
        this.pool = pool;
    }

    private interface Loop {
        void run(long x, long y, int count);
    }

    private record Conversion(Loop loop, StreamCode stream) {}

    @Override
    public boolean supports(Cast.Args args) {
        return args.x().isContiguous()
                && args.y().isContiguous()
                && conversion(args.x().dtype(), args.y().dtype()) != null;
    }

    private static Conversion conversion(DType from, DType to) {
        return switch (from) {
            case F32 ->
                switch (to) {
                    case BF16 -> new Conversion(CastVector::floatToHalf, FLOAT_TO_HALF);
                    case F64 -> new Conversion(CastVector::floatToDouble, FLOAT_TO_DOUBLE);
                    case F32, I32 -> null;
                };
            case BF16 -> to == DType.F32 ? new Conversion(CastVector::halfToFloat, HALF_TO_FLOAT) : null;
            case F64 -> to == DType.F32 ? new Conversion(CastVector::doubleToFloat, DOUBLE_TO_FLOAT) : null;
            case I32 -> null;
        };
    }

    @Override
    public void run(Cast.Args args) {
        long x = args.x().address();
        long y = args.y().address();
        int from = args.x().dtype().bytes();
        int to = args.y().dtype().bytes();
        long elements = args.y().elements();
        Conversion conversion = conversion(args.x().dtype(), args.y().dtype());
        Loop loop = conversion.loop();
        Ranges.Body body = (first, count) -> loop.run(x + from * first, y + to * first, count);
        conversion.stream().run(pool, body, elements, y, x, 0, 1, 0x7fff);
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
