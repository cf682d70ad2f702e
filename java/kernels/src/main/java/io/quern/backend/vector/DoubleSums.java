package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static jdk.incubator.vector.VectorOperators.F2D;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** Sums of squares of floats in double, whose error and overflow nobody needs to think about. */
final class DoubleSums {
    private static final VectorSpecies<Double> D = DoubleVector.SPECIES_PREFERRED.withShape(Lanes.F.vectorShape());
    /** As many floats as D has doubles. */
    private static final VectorSpecies<Float> HALF =
            Lanes.F.withShape(VectorShape.forBitSize(Lanes.F.vectorBitSize() / 2));

    private static final int DOUBLES = D.length();

    private DoubleSums() {}

    /** Sum of x[i]^2. */
    static double squares(long x, int count) {
        DoubleVector a = DoubleVector.zero(D);
        DoubleVector b = a;
        DoubleVector c = a;
        DoubleVector d = a;
        int i = 0;
        for (; i <= count - 4 * DOUBLES; i += 4 * DOUBLES) {
            DoubleVector p = load(x + 4L * i);
            DoubleVector q = load(x + 4L * (i + DOUBLES));
            DoubleVector r = load(x + 4L * (i + 2 * DOUBLES));
            DoubleVector s = load(x + 4L * (i + 3 * DOUBLES));
            a = p.fma(p, a);
            b = q.fma(q, b);
            c = r.fma(r, c);
            d = s.fma(s, d);
        }
        double sum = sum(a.add(b).add(c.add(d)));
        for (; i < count; i++) {
            double value = Floats.get(x + 4L * i);
            sum += value * value;
        }
        return sum;
    }

    /** Sum of (x[i] - y[i])^2. */
    static double squaredDifferences(long x, long y, int count) {
        DoubleVector a = DoubleVector.zero(D);
        DoubleVector b = a;
        int i = 0;
        for (; i <= count - 2 * DOUBLES; i += 2 * DOUBLES) {
            long next = 4L * (i + DOUBLES);
            DoubleVector p = load(x + 4L * i).sub(load(y + 4L * i));
            DoubleVector q = load(x + next).sub(load(y + next));
            a = p.fma(p, a);
            b = q.fma(q, b);
        }
        double sum = sum(a.add(b));
        for (; i < count; i++) {
            double difference = (double) Floats.get(x + 4L * i) - Floats.get(y + 4L * i);
            sum += difference * difference;
        }
        return sum;
    }

    private static DoubleVector load(long address) {
        return (DoubleVector)
                FloatVector.fromMemorySegment(HALF, ALL, address, Lanes.ORDER).convertShape(F2D, D, 0);
    }

    /** Lane after lane: {@code reduceLanes} leaves the order open, and the interpreter's is not the compiler's. */
    private static double sum(DoubleVector vector) {
        double sum = 0;
        for (int lane = 0; lane < DOUBLES; lane++) {
            sum += vector.lane(lane);
        }
        return sum;
    }
}
