package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Conv2dBackwardData;

/** dx from dy: {@link Correlation} with the flipped, transposed filter, per phase of the stride. */
final class Conv2dBackwardDataVector implements Kernel<Conv2dBackwardData.Args> {
    private final WorkerPool pool;
    private final Scratch scratch;
    private final ConvPlans<ConvPlan> plans = new ConvPlans<>(ConvPlan::backward);

    Conv2dBackwardDataVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    @Override
    public boolean supports(Conv2dBackwardData.Args args) {
        return Ranges.flat(args.dy(), args.filter(), args.dx());
    }

    @Override
    public void run(Conv2dBackwardData.Args args) {
        ConvShape shape = ConvShape.of(args.dx(), args.filter(), args.dy(), args.geometry());
        plans.of(shape).run(args.dy(), args.filter(), null, args.dx(), false, null, scratch, pool);
    }
}
