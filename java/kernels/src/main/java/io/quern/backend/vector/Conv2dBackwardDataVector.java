package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Conv2dBackwardData;

/** dx from dy: {@link Correlation} with the flipped, transposed filter, per phase of the stride. */
final class Conv2dBackwardDataVector implements Kernel<Conv2dBackwardData.Args> {
    private final WorkerPool pool;
    private final Scratch scratch;
    private final ConvPlans<ConvPlan> plans = new ConvPlans<>(ConvPlan::backward);
    private final ConvPlans<ConvPointwise> products;
    private final ConvPlans<ConvDepthwise> depthwise = new ConvPlans<>(ConvDepthwise::new);
    private final ConvPlans<ConvThin> thins = new ConvPlans<>(ConvThin::new);
    private final ConvPlans<ThinImageGradient> planes = new ConvPlans<>(ThinImageGradient::new);

    Conv2dBackwardDataVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
        products = ConvPointwise.plans();
    }

    @Override
    public boolean supports(Conv2dBackwardData.Args args) {
        return Ranges.flat(args.dy(), args.filter(), args.dx());
    }

    @Override
    public void run(Conv2dBackwardData.Args args) {
        if (args.dx().elements() == 0) {
            return;
        }
        ConvShape shape = ConvShape.of(args.dx(), args.filter(), args.dy(), args.geometry());
        if (ConvPointwise.fits(shape)) {
            products.of(shape).backwardData(args.dy(), args.filter(), args.dx(), scratch, pool);
            return;
        }
        if (ThinImageGradient.fits(shape)) {
            planes.of(shape).run(args.dy(), args.filter(), args.dx(), scratch, pool);
            return;
        }
        if (ConvThin.fits(shape)) {
            thins.of(shape).run(args.dy(), args.filter(), args.dx(), scratch, pool);
            return;
        }
        if (ConvDepthwise.fits(shape)) {
            depthwise.of(shape).backwardData(args.dy(), args.filter(), args.dx(), scratch, pool);
            return;
        }
        plans.of(shape).run(args.dy(), args.filter(), null, args.dx(), false, null, scratch, pool);
    }
}
