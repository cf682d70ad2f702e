package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.ActivationKind;
import io.quern.op.Conv2d;

/**
 * y = f(x * filter + bias): {@link Correlation} of padded slabs, with bias and ReLU in the tile and other activations on
 * the finished slab.
 */
final class Conv2dVector implements Kernel<Conv2d.Args> {
    private final WorkerPool pool;
    private final Scratch scratch;
    private final ConvPlans<Plan> plans = new ConvPlans<>(Plan::of);
    private final ConvPlans<ConvPointwise> products;
    private final ConvPlans<ConvDepthwise> depthwise = new ConvPlans<>(ConvDepthwise::new);

    /** {@code thin} is null where {@code usual} is as good. */
    private record Plan(ConvPlan usual, ThinCorrelation thin) {
        static Plan of(ConvShape shape) {
            return new Plan(ConvPlan.forward(shape), ThinCorrelation.of(shape));
        }
    }

    Conv2dVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
        products = ConvPointwise.plans();
    }

    @Override
    public boolean supports(Conv2d.Args args) {
        return Ranges.flat(args.x(), args.filter(), args.bias(), args.y(), args.preactivation());
    }

    @Override
    public void run(Conv2d.Args args) {
        ConvShape shape = ConvShape.of(args.x(), args.filter(), args.y(), args.geometry());
        if (ConvPointwise.fits(shape)) {
            Epilogue epilogue = FusedEpilogue.of(args.bias(), args.preactivation(), args.activation());
            products.of(shape).forward(args.x(), args.filter(), args.y(), epilogue, scratch, pool);
            return;
        }
        boolean relu = args.activation() == ActivationKind.RELU && args.preactivation() == null;
        Epilogue epilogue = relu ? null : FusedEpilogue.of(null, args.preactivation(), args.activation());
        if (ConvDepthwise.fits(shape)) {
            depthwise.of(shape).forward(args.x(), args.filter(), args.bias(), args.y(), relu, epilogue, scratch, pool);
            return;
        }
        Plan plan = plans.of(shape);
        if (plan.thin != null) {
            plan.thin.run(args.x(), args.filter(), args.bias(), args.y(), relu, epilogue, scratch, pool);
            return;
        }
        plan.usual.run(args.x(), args.filter(), args.bias(), args.y(), relu, epilogue, scratch, pool);
    }
}
