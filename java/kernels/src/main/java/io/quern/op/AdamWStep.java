package io.quern.op;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.List;

/**
 * One step of AdamW, in place: m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p = (1 - rate decay) p - rate m' /
 * (sqrt(v') + epsilon) with m' = m / (1 - b1^step), v' = v / (1 - b2^step).
 *
 * <p>Kingma, Ba, "Adam", ICLR 2015; Loshchilov, Hutter, "Decoupled weight decay regularization", ICLR 2019.
 *
 * <p>The gradient may be BF16 while parameters and state are F32: a step is often less than half a unit in the last place
 * of a BF16 parameter, and would be lost. All of a call is of one such form, since an optimizer's memory is one block.
 */
public final class AdamWStep implements Op<AdamWStep.Args> {
    public static final AdamWStep OP = new AdamWStep();

    /** Rounding errors of a denormal first moment and of its product with the rate. */
    private static final double DENORMAL = 0x1p-147;

    /**
     * @param parameter any shape, updated
     * @param gradient parameter's shape and dtype, or BF16 if that is F32
     * @param moment1 parameter's shape, updated
     * @param moment2 parameter's shape, not negative, updated
     * @param rate learning rate, at least 0
     * @param beta1 0 <= beta1 < 1
     * @param beta2 0 <= beta2 < 1
     * @param epsilon positive
     * @param decay weight decay, at least 0
     * @param step 1 for the first step
     */
    public record Args(
            Tensor parameter,
            Tensor gradient,
            Tensor moment1,
            Tensor moment2,
            double rate,
            double beta1,
            double beta2,
            double epsilon,
            double decay,
            int step)
            implements OpArgs {
        public Args {
            Check.computable(parameter, "AdamWStep", "parameter");
            Check.shape(gradient, parameter.shape(), "AdamWStep", "gradient");
            Check.summedIn(parameter.dtype(), gradient, "AdamWStep", "gradient");
            Check.apart(parameter, gradient, "AdamWStep", "parameter", "gradient");
            like(parameter, moment1, "moment1");
            like(parameter, moment2, "moment2");
            Check.apart(moment1, gradient, "AdamWStep", "moment1", "gradient");
            Check.apart(moment2, gradient, "AdamWStep", "moment2", "gradient");
            Check.apart(moment1, moment2, "AdamWStep", "moment1", "moment2");
            if (!(rate >= 0)) {
                throw Check.failed("AdamWStep", "rate is " + rate + ", expected at least 0");
            }
            if (!(beta1 >= 0 && beta1 < 1)) {
                throw Check.failed("AdamWStep", "beta1 is " + beta1 + ", expected 0 <= beta1 < 1");
            }
            if (!(beta2 >= 0 && beta2 < 1)) {
                throw Check.failed("AdamWStep", "beta2 is " + beta2 + ", expected 0 <= beta2 < 1");
            }
            if (!(epsilon > 0)) {
                throw Check.failed("AdamWStep", "epsilon is " + epsilon + ", expected a positive number");
            }
            if (!(decay >= 0)) {
                throw Check.failed("AdamWStep", "decay is " + decay + ", expected at least 0");
            }
            if (!(step >= 1)) {
                throw Check.failed("AdamWStep", "step is " + step + ", expected 1 for the first");
            }
        }

        private static void like(Tensor parameter, Tensor other, String name) {
            Check.shape(other, parameter.shape(), "AdamWStep", name);
            Check.dtype(other, parameter.dtype(), "AdamWStep", name);
            Check.apart(parameter, other, "AdamWStep", "parameter", name);
        }

        /** 1 - beta1^step. */
        public double correction1() {
            return 1 - Math.pow(beta1, step);
        }

        /** 1 - beta2^step. */
        public double correction2() {
            return 1 - Math.pow(beta2, step);
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(parameter, gradient, moment1, moment2);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(parameter, moment1, moment2);
        }
    }

    private AdamWStep() {}

    @Override
    public void reference(Args args) {
        double correction1 = args.correction1();
        double correction2 = args.correction2();
        for (long i = 0; i < args.parameter.elements(); i++) {
            double g = args.gradient.get(i);
            double m = args.beta1 * args.moment1.get(i) + (1 - args.beta1) * g;
            double v = args.beta2 * args.moment2.get(i) + (1 - args.beta2) * g * g;
            args.moment1.set(i, m);
            args.moment2.set(i, v);
            double direction = m / correction1 / (Math.sqrt(v / correction2) + args.epsilon);
            args.parameter.set(i, (1 - args.rate * args.decay) * args.parameter.get(i) - args.rate * direction);
        }
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(14.0 * args.parameter.elements(), args);
    }

    /** Roundings of the moments' terms before the step; m may cancel, and its error is divided by the root of v. */
    @Override
    public Bound bound(Args args, double u) {
        return (output, index, reference) -> {
            double g = Math.abs(args.gradient.get(index));
            double m = args.beta1 * Math.abs(args.moment1.get(index)) + (1 - args.beta1) * g;
            double v = args.beta2 * args.moment2.get(index) + (1 - args.beta2) * g * g;
            double divisor = args.correction1() * (Math.sqrt(v / args.correction2()) + args.epsilon);
            return switch (output) {
                case 0 ->
                    24 * u * (Math.abs(args.parameter.get(index)) + args.rate * m / divisor)
                            + (1 + args.rate) * DENORMAL / divisor
                            + 0x1p-124;
                case 1 -> 8 * u * m + 0x1p-124;
                default -> 8 * u * v + 0x1p-124;
            };
        };
    }

    @Override
    public List<Case<Args>> cases() {
        return Cases.lengths()
                .boxed()
                .flatMap(n -> java.util.stream.Stream.of(1, 1000)
                        .map(step -> new Case<>("step " + step + " n=" + n, t -> {
                            Tensor moment2 = t.wide(Shape.of(n), 0, 1);
                            return new Args(
                                    t.wide(n), t.input(n), t.wide(n), moment2, 0.01, 0.9, 0.999, 1e-8, 0.1, step);
                        })))
                .toList();
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "other shape",
                        t -> new Args(t.input(3), t.input(3), t.input(4), t.input(3), 0.1, 0.9, 0.999, 1e-8, 0, 1),
                        "moment1 is F32[4], expected shape 3"),
                new Rejection(
                        "narrow parameters",
                        t -> new Args(
                                t.output(DType.BF16, Shape.of(3)),
                                t.input(3),
                                t.input(3),
                                t.input(3),
                                0.1,
                                0.9,
                                0.999,
                                1e-8,
                                0,
                                1),
                        "parameter is BF16[3], expected F32 or F64"),
                new Rejection(
                        "step 0",
                        t -> new Args(t.input(3), t.input(3), t.input(3), t.input(3), 0.1, 0.9, 0.999, 1e-8, 0, 0),
                        "step is 0, expected 1 for the first"),
                new Rejection(
                        "gradient is moment1",
                        t -> {
                            Tensor g = t.input(3);
                            return new Args(t.input(3), g, g, t.input(3), 0.1, 0.9, 0.999, 1e-8, 0, 1);
                        },
                        "moment1 overlaps gradient"));
    }
}
