package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.ClipByNorm;

/** One pass over all tensors; none when the norm is small enough. */
final class ClipByNormVector implements Kernel<ClipByNorm.Args> {
    private final WorkerPool pool;

    ClipByNormVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(ClipByNorm.Args args) {
        return Ranges.flat(args.squaredNorm()) && ListRanges.flat(args.tensors());
    }

    @Override
    public void run(ClipByNorm.Args args) {
        float factor = (float) args.factor();
        if (factor == 1) {
            return;
        }
        long[] x = ListRanges.addresses(args.tensors());
        ListRanges.run(pool, args.tensors(), (block, k, from, count) -> {
            long at = x[k] + 4 * from;
            ScaleVector.scale(at, at, count, factor);
        });
    }
}
