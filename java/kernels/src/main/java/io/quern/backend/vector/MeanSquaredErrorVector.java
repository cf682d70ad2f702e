package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.MeanSquaredError;

/** One partial sum in double for each block, added in the order of the blocks. */
final class MeanSquaredErrorVector implements Kernel<MeanSquaredError.Args> {
    private final WorkerPool pool;

    MeanSquaredErrorVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(MeanSquaredError.Args args) {
        return Ranges.flat(args.a(), args.b(), args.y());
    }

    @Override
    public void run(MeanSquaredError.Args args) {
        long a = args.a().address();
        long b = args.b().address();
        long elements = args.a().elements();
        double[] partial = new double[Math.toIntExact((elements + Ranges.BLOCK - 1) / Ranges.BLOCK)];
        Ranges.run(
                pool,
                elements,
                (from, count) -> partial[(int) (from / Ranges.BLOCK)] =
                        DoubleSums.squaredDifferences(a + 4 * from, b + 4 * from, count));
        double sum = 0;
        for (double part : partial) {
            sum += part;
        }
        Floats.set(args.y().address(), (float) (sum / elements));
    }
}
