package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.WorkerPool;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/** What kernels share that work along the last axis, row by row. */
final class Rows {
    /**
     * True when the rest of a row is one masked step. Only 512-bit machines have masks worth using; the shorter vectors
     * of others leave less to the scalar tail.
     */
    static final boolean MASKS = Lanes.FLOATS == 16;

    private static final VectorShuffle<Float> BY_8 = by(8);
    private static final VectorShuffle<Float> BY_4 = by(4);
    private static final VectorShuffle<Float> BY_2 = by(2);
    private static final VectorShuffle<Float> BY_1 = by(1);

    private Rows() {}

    /** Work on rows {@code from <= r < from + count}. */
    interface Body {
        void run(long from, int count);
    }

    /** Splits rows among the workers, about {@link Ranges#BLOCK} elements at a time. */
    static void run(WorkerPool pool, long rows, int columns, Body body) {
        int perBlock = Math.max(1, Ranges.BLOCK / Math.max(1, columns));
        pool.run(Math.toIntExact((rows + perBlock - 1) / perBlock), block -> {
            long from = (long) block * perBlock;
            body.run(from, (int) Math.min(perBlock, rows - from));
        });
    }

    /** The first {@code columns mod FLOATS} lanes. */
    static VectorMask<Float> tail(int columns) {
        return Lanes.F.indexInRange(0, columns % Lanes.FLOATS);
    }

    /** The part of a row that full vectors cover. */
    static int full(int columns) {
        return columns - columns % Lanes.FLOATS;
    }

    /** The sum of all lanes, halves first; reduceLanes leaves the order, and so the bits, to the compiler. */
    static float sum(FloatVector v) {
        FloatVector w = Lanes.FLOATS > 8 ? v.add(v.rearrange(BY_8)) : v;
        FloatVector x = Lanes.FLOATS > 4 ? w.add(w.rearrange(BY_4)) : w;
        FloatVector y = x.add(x.rearrange(BY_2));
        return y.add(y.rearrange(BY_1)).lane(0);
    }

    /** The larger of each pair of lanes; a NaN in b is passed over, one in a stays. One instruction less than max. */
    static FloatVector larger(FloatVector a, FloatVector b) {
        return a.blend(b, b.compare(VectorOperators.GT, a));
    }

    /** The largest lane. As integers that order like the floats: the float reduction is several times as long. */
    static float max(FloatVector v) {
        IntVector bits = v.reinterpretAsInts();
        return Float.intBitsToFloat(ordered(ordered(bits).reduceLanes(VectorOperators.MAX)));
    }

    private static IntVector ordered(IntVector bits) {
        return bits.lanewise(VectorOperators.ASHR, 31).and(Integer.MAX_VALUE).lanewise(VectorOperators.XOR, bits);
    }

    private static int ordered(int bits) {
        return bits >> 31 & Integer.MAX_VALUE ^ bits;
    }

    static float get(long address) {
        return ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, address);
    }

    static void set(long address, float value) {
        ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, address, value);
    }

    private static VectorShuffle<Float> by(int distance) {
        return Lanes.F.shuffleFromOp(lane -> (lane ^ distance) % Lanes.FLOATS);
    }
}
