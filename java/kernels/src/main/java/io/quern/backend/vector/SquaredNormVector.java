package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.SquaredNorm;

/** One partial sum in double for each block, added in the order of the blocks. */
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
                (from, count) -> partial[(int) (from / Ranges.BLOCK)] = DoubleSums.squares(x + 4 * from, count));
        double sum = 0;
        for (double part : partial) {
            sum += part;
        }
        Floats.set(args.y().address(), (float) sum);
    }
}
