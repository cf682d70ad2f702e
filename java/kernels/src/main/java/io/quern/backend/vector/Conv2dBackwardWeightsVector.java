package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Conv2dBackwardWeights;

/** dfilter from x and dy: {@link FilterGradient}. */
final class Conv2dBackwardWeightsVector implements Kernel<Conv2dBackwardWeights.Args> {
    private final WorkerPool pool;
    private final Scratch scratch;
    private final ConvPlans<FilterGradient> plans = new ConvPlans<>(FilterGradient::new);
    private final ConvPlans<ConvPointwise> products;

    Conv2dBackwardWeightsVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
        products = ConvPointwise.plans();
    }

    @Override
    public boolean supports(Conv2dBackwardWeights.Args args) {
        return Ranges.flat(args.x(), args.dy(), args.dfilter());
    }

    @Override
    public void run(Conv2dBackwardWeights.Args args) {
        ConvShape shape = ConvShape.of(args.x(), args.dfilter(), args.dy(), args.geometry());
        if (ConvPointwise.fits(shape)) {
            products.of(shape).backwardWeights(args.x(), args.dy(), args.dfilter(), scratch, pool);
            return;
        }
        plans.of(shape).run(args.x(), args.dy(), args.dfilter(), scratch, pool);
    }
}
