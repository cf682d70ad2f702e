package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.SquaredNorm;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Sums of fixed blocks in float lanes, then over the blocks in double, in order. */
final class SquaredNormVector implements Kernel<SquaredNorm.Args> {
    private final WorkerPool pool;

    SquaredNormVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(SquaredNorm.Args args) {
        return Ranges.flat(args.x(), args.y());
    }

    @Override
    public void run(SquaredNorm.Args args) {
        long x = args.x().address();
        double[] partial = new double[Math.toIntExact(args.x().elements() / Ranges.BLOCK + 1)];
        Ranges.run(
                pool,
                args.x().elements(),
                (from, count) -> partial[(int) (from / Ranges.BLOCK)] = squares(x + 4 * from, count));
        double sum = 0;
        for (double part : partial) {
            sum += part;
        }
        args.y().set(0, sum);
    }

    private static double squares(long x, int count) {
        FloatVector a = FloatVector.zero(Lanes.F);
        FloatVector b = FloatVector.zero(Lanes.F);
        FloatVector c = FloatVector.zero(Lanes.F);
        FloatVector d = FloatVector.zero(Lanes.F);
        int i = 0;
        for (; i <= count - 4 * Lanes.FLOATS; i += 4 * Lanes.FLOATS) {
            long at = x + 4L * i;
            FloatVector v = FloatVector.fromMemorySegment(Lanes.F, ALL, at, Lanes.ORDER);
            a = v.fma(v, a);
            v = FloatVector.fromMemorySegment(Lanes.F, ALL, at + Lanes.BYTES, Lanes.ORDER);
            b = v.fma(v, b);
            v = FloatVector.fromMemorySegment(Lanes.F, ALL, at + 2 * Lanes.BYTES, Lanes.ORDER);
            c = v.fma(v, c);
            v = FloatVector.fromMemorySegment(Lanes.F, ALL, at + 3 * Lanes.BYTES, Lanes.ORDER);
            d = v.fma(v, d);
        }
        double sum = a.add(b).add(c.add(d)).reduceLanes(VectorOperators.ADD);
        for (; i < count; i++) {
            double value = ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, x + 4L * i);
            sum += value * value;
        }
        return sum;
    }
}
