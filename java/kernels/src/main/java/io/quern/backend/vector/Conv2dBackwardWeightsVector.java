package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Conv2dBackwardWeights;

/** dfilter from x and dy: {@link FilterGradient}, unless a way of its own fits the shape. */
final class Conv2dBackwardWeightsVector implements Kernel<Conv2dBackwardWeights.Args> {
    private final WorkerPool pool;
    private final Scratch scratch;
    private final ConvPlans<Plan> plans = new ConvPlans<>(Plan::of);
    private final ConvPlans<ConvPointwise> products;
    private final ConvPlans<ConvDepthwise> depthwise = new ConvPlans<>(ConvDepthwise::new);

    /** All but {@code direct} are null where others are faster or the only ones allowed. */
    private record Plan(
            FilterGradient direct, WinogradGradient fast, ThinFilterGradient thin, StemFilterGradient stem) {
        static Plan of(ConvShape shape) {
            return new Plan(
                    new FilterGradient(shape),
                    WinogradGradient.of(shape),
                    ThinFilterGradient.of(shape),
                    StemFilterGradient.of(shape));
        }
    }

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
        if (ConvDepthwise.fits(shape)) {
            depthwise.of(shape).backwardWeights(args.x(), args.dy(), args.dfilter(), scratch, pool);
            return;
        }
        Plan plan = plans.of(shape);
        if (plan.fast != null && plan.fast.run(args.x(), args.dy(), args.dfilter(), scratch, pool)) {
            return;
        }
        if (plan.thin != null && plan.thin.run(args.x(), args.dy(), args.dfilter(), scratch, pool)) {
            return;
        }
        if (plan.stem != null) {
            plan.stem.run(args.x(), args.dy(), args.dfilter(), scratch, pool);
        } else if (ConvPointwise.weightsFit(shape)) {
            products.of(shape).backwardWeights(args.x(), args.dy(), args.dfilter(), scratch, pool);
        } else {
            plan.direct.run(args.x(), args.dy(), args.dfilter(), scratch, pool);
        }
    }
}
