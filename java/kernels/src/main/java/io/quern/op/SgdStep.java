package io.quern.op;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One step of stochastic gradient descent on a list of parameters, in place. Per element, with gradient dp:
 *
 * <pre>
 * g = dp + l2 p + l1 sign(p)
 * v = momentum v + g
 * p = p - learningRate (weightDecay p + (nesterov ? g + momentum v : v))
 * </pre>
 *
 * <p>Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013, in the form
 * where the learning rate stands outside the velocity. l2 is the factor of the penalty's gradient (the penalty is
 * l2/2 |p|^2), l1 that of |p|_1; weightDecay is decoupled: it bypasses the velocity.
 */
public final class SgdStep implements Op<SgdStep.Args> {
    public static final SgdStep OP = new SgdStep();

    /**
     * @param parameters updated
     * @param gradients one for each parameter
     * @param velocities one for each parameter, updated, 0 at first; an empty list if momentum is 0
     * @param learningRate step size
     * @param momentum 0 <= momentum < 1
     * @param nesterov look ahead along the new velocity
     * @param l2 coupled quadratic penalty
     * @param l1 coupled absolute penalty
     * @param weightDecay decoupled decay, multiplied by the learning rate
     */
    public record Args(
            List<Tensor> parameters,
            List<Tensor> gradients,
            List<Tensor> velocities,
            double learningRate,
            double momentum,
            boolean nesterov,
            double l2,
            double l1,
            double weightDecay)
            implements OpArgs {
        public Args {
            TensorLists.computable(parameters, "SgdStep", "parameters");
            TensorLists.distinct(parameters, "SgdStep", "parameters");
            TensorLists.paired(gradients, parameters, "SgdStep", "gradients", "parameters");
            Check.that(momentum >= 0 && momentum < 1, "SgdStep", "momentum is " + momentum + ", expected 0 <= momentum < 1");
            if (momentum == 0) {
                Check.that(velocities.isEmpty(), "SgdStep", "velocities are given, but momentum is 0");
            } else {
                TensorLists.paired(velocities, parameters, "SgdStep", "velocities", "parameters");
            }
            TensorLists.notNegative(learningRate, "SgdStep", "learningRate");
            TensorLists.notNegative(l2, "SgdStep", "l2");
            TensorLists.notNegative(l1, "SgdStep", "l1");
            TensorLists.notNegative(weightDecay, "SgdStep", "weightDecay");
            parameters = List.copyOf(parameters);
            gradients = List.copyOf(gradients);
            velocities = List.copyOf(velocities);
        }

        @Override
        public List<Tensor> inputs() {
            return TensorLists.concat(parameters, gradients, velocities);
        }

        @Override
        public List<Tensor> outputs() {
            return TensorLists.concat(parameters, velocities);
        }
    }

    private SgdStep() {}

    @Override
    public void reference(Args args) {
        for (int k = 0; k < args.parameters.size(); k++) {
            Tensor parameter = args.parameters.get(k);
            Tensor gradient = args.gradients.get(k);
            for (long i = 0; i < parameter.elements(); i++) {
                double p = parameter.get(i);
                double g = gradient.get(i) + args.l2 * p + args.l1 * Math.signum(p);
                double direction = g;
                if (args.momentum != 0) {
                    double v = args.momentum * args.velocities.get(k).get(i) + g;
                    args.velocities.get(k).set(i, v);
                    direction = args.nesterov ? g + args.momentum * v : v;
                }
                parameter.set(i, p - args.learningRate * (args.weightDecay * p + direction));
            }
        }
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(10.0 * TensorLists.elements(args.parameters), args);
    }

    /** gamma of the number of roundings, times the same formula on absolute values. */
    @Override
    public Bound bound(Args args, double u) {
        double gamma = Bounds.gamma(10, u);
        return (output, index, reference) -> {
            int k = output % args.parameters.size();
            double p = Math.abs(args.parameters.get(k).get(index));
            double g = Math.abs(args.gradients.get(k).get(index)) + args.l2 * p + args.l1;
            double v = g;
            double direction = g;
            if (args.momentum != 0) {
                v += args.momentum * Math.abs(args.velocities.get(k).get(index));
                direction = args.nesterov ? g + args.momentum * v : v;
            }
            double magnitude = output >= args.parameters.size()
                    ? v
                    : p + args.learningRate * (args.weightDecay * p + direction);
            return gamma * magnitude + 0x1p-124;
        };
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        TensorLists.caseLengths().forEach(lengths -> {
            String n = Arrays.toString(lengths);
            cases.add(of("plain " + n, lengths, 0, false, 0, 0, 0));
            cases.add(of("momentum " + n, lengths, 0.9, false, 0, 0, 0));
        });
        long[] lengths = {37, 17_001};
        cases.add(of("nesterov", lengths, 0.9, true, 0, 0, 0));
        cases.add(of("l2", lengths, 0, false, 0.01, 0, 0));
        cases.add(of("l1", lengths, 0, false, 0, 0.02, 0));
        cases.add(of("l1 with momentum", lengths, 0.5, false, 0, 0.02, 0));
        cases.add(of("decay", lengths, 0, false, 0, 0, 0.03));
        cases.add(of("everything", lengths, 0.8, true, 0.01, 0.02, 0.03));
        return cases;
    }

    private static Case<Args> of(
            String label, long[] lengths, double momentum, boolean nesterov, double l2, double l1, double decay) {
        return new Case<>(
                label,
                t -> new Args(
                        TensorLists.of(t::input, lengths),
                        TensorLists.of(t::input, lengths),
                        momentum == 0 ? List.of() : TensorLists.of(t::input, lengths),
                        0.1,
                        momentum,
                        nesterov,
                        l2,
                        l1,
                        decay));
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "gradient missing",
                        t -> new Args(List.of(t.input(3)), List.of(), List.of(), 0.1, 0, false, 0, 0, 0),
                        "SgdStep: gradients has 0 tensors, parameters has 1"),
                new Rejection(
                        "other shape",
                        t -> new Args(List.of(t.input(3)), List.of(t.input(4)), List.of(), 0.1, 0, false, 0, 0, 0),
                        "gradients[0] is F32[4], expected shape 3"),
                new Rejection(
                        "velocity missing",
                        t -> new Args(List.of(t.input(3)), List.of(t.input(3)), List.of(), 0.1, 0.9, false, 0, 0, 0),
                        "velocities has 0 tensors, parameters has 1"),
                new Rejection(
                        "a parameter twice",
                        t -> {
                            Tensor p = t.input(3);
                            List<Tensor> gradients = List.of(t.input(3), t.input(3));
                            return new Args(List.of(p, p), gradients, List.of(), 0.1, 0, false, 0, 0, 0);
                        },
                        "parameters holds one tensor twice"),
                new Rejection(
                        "gradient is the parameter",
                        t -> {
                            List<Tensor> p = List.of(t.input(3));
                            return new Args(p, p, List.of(), 0.1, 0, false, 0, 0, 0);
                        },
                        "parameters[0] overlaps gradients[0]"),
                new Rejection(
                        "integers",
                        t -> new Args(
                                List.of(t.indices(Shape.of(3), 0, 2)),
                                List.of(t.input(3)),
                                List.of(),
                                0.1,
                                0,
                                false,
                                0,
                                0,
                                0),
                        "parameters[0] is I32[3], expected F32 or F64"),
                new Rejection(
                        "momentum 1",
                        t -> new Args(List.of(), List.of(), List.of(), 0.1, 1, false, 0, 0, 0),
                        "momentum is 1.0, expected 0 <= momentum < 1"),
                new Rejection(
                        "negative rate",
                        t -> new Args(List.of(), List.of(), List.of(), -0.1, 0, false, 0, 0, 0),
                        "learningRate is -0.1, expected 0 or more"));
    }
}
