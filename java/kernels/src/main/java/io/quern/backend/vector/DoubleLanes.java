package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/** Floats widened to doubles, for sums: one conversion on load buys accuracy that no order of float additions has. */
final class DoubleLanes {
    static final VectorSpecies<Double> D = DoubleVector.SPECIES_PREFERRED.withShape(Lanes.F.vectorShape());
    /** Doubles per vector. */
    static final int DOUBLES = D.length();

    /** As many floats. */
    static final VectorSpecies<Float> HALF =
            FloatVector.SPECIES_PREFERRED.withShape(VectorShape.forBitSize(Lanes.F.vectorBitSize() / 2));

    private static final VectorShuffle<Double> BY_4 = D.shuffleFromOp(lane -> (lane ^ 4) % DOUBLES);
    private static final VectorShuffle<Double> BY_2 = D.shuffleFromOp(lane -> (lane ^ 2) % DOUBLES);
    private static final VectorShuffle<Double> BY_1 = D.shuffleFromOp(lane -> (lane ^ 1) % DOUBLES);

    private DoubleLanes() {}

    /** {@link #DOUBLES} floats. */
    static DoubleVector load(long address) {
        return (DoubleVector)
                FloatVector.fromMemorySegment(HALF, ALL, address, Lanes.ORDER).convertShape(VectorOperators.F2D, D, 0);
    }

    /** The same from an array. */
    static DoubleVector load(float[] values, int first) {
        return (DoubleVector) FloatVector.fromArray(HALF, values, first).convertShape(VectorOperators.F2D, D, 0);
    }

    /** The sum of all lanes, halves first; reduceLanes leaves the order, and so the bits, to the compiler. */
    static double sum(DoubleVector v) {
        DoubleVector w = DOUBLES > 4 ? v.add(v.rearrange(BY_4)) : v;
        DoubleVector z = DOUBLES > 2 ? w.add(w.rearrange(BY_2)) : w;
        return z.add(z.rearrange(BY_1)).lane(0);
    }
}
