package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.MaxPool;

/** Maxima over windows. */
final class MaxPoolVector implements Kernel<MaxPool.Args> {
    private final WorkerPool pool;
    private final Scratch scratch;

    MaxPoolVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    @Override
    public boolean supports(MaxPool.Args args) {
        return Ranges.flat(args.x(), args.y());
    }

    @Override
    public void run(MaxPool.Args args) {
        if (MaxPoolQuadsCode.takes(args.geometry(), args.x().dim(3))) {
            MaxPoolQuadsCode.maxima(pool, args.x(), args.y());
            return;
        }
        if (MaxPoolCode.takes(args.geometry(), args.x().dim(3))) {
            new MaxPoolCode(args.x(), args.y(), args.geometry()).run(pool);
            return;
        }
        PoolForward.run(pool, scratch, args.x(), args.y(), args.geometry(), new PoolMaximum(), false);
    }
}
