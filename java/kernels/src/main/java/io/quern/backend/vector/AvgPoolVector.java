package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.AvgPool;

/** Means over windows. */
final class AvgPoolVector implements Kernel<AvgPool.Args> {
    private final WorkerPool pool;
    private final Scratch scratch;

    AvgPoolVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    @Override
    public boolean supports(AvgPool.Args args) {
        return Ranges.flat(args.x(), args.y());
    }

    @Override
    public void run(AvgPool.Args args) {
        PoolForward.run(pool, scratch, args.x(), args.y(), args.geometry(), new PoolMean(), args.countPadding());
    }
}
