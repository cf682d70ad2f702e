package io.quern.op;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * One step of gradient descent with momentum, in place: v = momentum v + g; d = g + momentum v if nesterov, else v; p =
 * (1 - rate decay) p - rate d. Without a velocity, d = g.
 *
 * <p>Polyak, 1964; Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013.
 * The decay is decoupled from the gradient: Loshchilov, Hutter, ICLR 2019.
 *
 * <p>The gradient may be BF16 while parameters and state are F32: a step is often less than half a unit in the last place
 * of a BF16 parameter, and would be lost. All of a call is of one such form, since an optimizer's memory is one block.
 */
public final class SgdStep implements Op<SgdStep.Args> {
    public static final SgdStep OP = new SgdStep();

    /**
     * @param parameter any shape, updated
     * @param gradient parameter's shape and dtype, or BF16 if that is F32
     * @param velocity parameter's shape, updated; null without momentum
     * @param rate learning rate, at least 0
     * @param momentum 0 <= momentum < 1
     * @param decay weight decay, at least 0
     */
    public record Args(
            Tensor parameter,
            Tensor gradient,
            Tensor velocity,
            double rate,
            double momentum,
            double decay,
            boolean nesterov)
            implements OpArgs {
        public Args {
            Check.computable(parameter, "SgdStep", "parameter");
            Check.shape(gradient, parameter.shape(), "SgdStep", "gradient");
            Check.summedIn(parameter.dtype(), gradient, "SgdStep", "gradient");
            Check.apart(parameter, gradient, "SgdStep", "parameter", "gradient");
            if (!(rate >= 0)) {
                throw Check.failed("SgdStep", "rate is " + rate + ", expected at least 0");
            }
            if (!(momentum >= 0 && momentum < 1)) {
                throw Check.failed("SgdStep", "momentum is " + momentum + ", expected 0 <= momentum < 1");
            }
            if (!(decay >= 0)) {
                throw Check.failed("SgdStep", "decay is " + decay + ", expected at least 0");
            }
            if (!(velocity != null || momentum == 0)) {
                throw Check.failed("SgdStep", "velocity is missing, and momentum is " + momentum);
            }
            if (velocity != null) {
                Check.shape(velocity, parameter.shape(), "SgdStep", "velocity");
                Check.dtype(velocity, parameter.dtype(), "SgdStep", "velocity");
                Check.apart(velocity, parameter, "SgdStep", "velocity", "parameter");
                Check.apart(velocity, gradient, "SgdStep", "velocity", "gradient");
            }
        }

        @Override
        public List<Tensor> inputs() {
            return velocity == null ? List.of(parameter, gradient) : List.of(parameter, gradient, velocity);
        }

        @Override
        public List<Tensor> outputs() {
            return velocity == null ? List.of(parameter) : List.of(parameter, velocity);
        }
    }

    private SgdStep() {}

    @Override
    public void reference(Args args) {
        for (long i = 0; i < args.parameter.elements(); i++) {
            double direction = args.gradient.get(i);
            if (args.velocity != null) {
                double v = args.momentum * args.velocity.get(i) + direction;
                args.velocity.set(i, v);
                direction = args.nesterov ? direction + args.momentum * v : v;
            }
            args.parameter.set(i, (1 - args.rate * args.decay) * args.parameter.get(i) - args.rate * direction);
        }
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll((args.velocity == null ? 3.0 : 6.0) * args.parameter.elements(), args);
    }

    /** A handful of roundings of the terms, taken before the step. */
    @Override
    public Bound bound(Args args, double u) {
        return (output, index, reference) -> {
            double g = Math.abs(args.gradient.get(index));
            double v = args.velocity == null ? 0 : Math.abs(args.momentum * args.velocity.get(index));
            double terms = output == 1 ? v + g : Math.abs(args.parameter.get(index)) + args.rate * 2 * (v + g);
            return 12 * u * terms + 0x1p-124;
        };
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        Cases.lengths().forEach(n -> {
            cases.add(new Case<>("plain n=" + n, t -> new Args(t.wide(n), t.input(n), null, 0.1, 0, 0, false)));
            cases.add(
                    new Case<>("momentum n=" + n, t -> new Args(t.wide(n), t.input(n), t.wide(n), 0.1, 0.9, 0, false)));
            cases.add(new Case<>(
                    "nesterov and decay n=" + n,
                    t -> new Args(t.wide(n), t.input(n), t.wide(n), 0.03, 0.9, 0.01, true)));
        });
        return cases;
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "other shape",
                        t -> new Args(t.input(3), t.input(4), null, 0.1, 0, 0, false),
                        "gradient is F32[4], expected shape 3"),
                new Rejection(
                        "wider gradient",
                        t -> new Args(t.input(3), t.output(DType.F64, Shape.of(3)), null, 0.1, 0, 0, false),
                        "gradient is F64[3], expected dtype F32 or BF16"),
                new Rejection(
                        "no velocity",
                        t -> new Args(t.input(3), t.input(3), null, 0.1, 0.9, 0, false),
                        "velocity is missing, and momentum is 0.9"),
                new Rejection(
                        "integers",
                        t -> new Args(t.indices(Shape.of(3), 0, 9), t.input(3), null, 0.1, 0, 0, false),
                        "expected F32 or F64"),
                new Rejection(
                        "momentum 1",
                        t -> new Args(t.input(3), t.input(3), t.input(3), 0.1, 1, 0, false),
                        "expected 0 <= momentum < 1"));
    }
}
