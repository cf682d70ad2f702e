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
        return Ranges.flat(args.y()) && ListRanges.flat(args.tensors());
    }

    @Override
    public void run(SquaredNorm.Args args) {
        long[] x = ListRanges.addresses(args.tensors());
        double[] partial = new double[ListRanges.blocks(args.tensors())];
        ListRanges.run(
                pool,
                args.tensors(),
                (block, k, from, count) -> partial[block] = DoubleSums.squares(x[k] + 4 * from, count));
        double sum = 0;
        for (double part : partial) {
            sum += part;
        }
        Floats.set(args.y().address(), (float) sum);
    }
}
