package io.quern.conformance;

import io.quern.backend.reference.ReferenceBackend;
import io.quern.op.ArgsMap;
import io.quern.op.Case;
import io.quern.op.Executor;
import io.quern.op.Gradients;
import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.op.Tape;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Rng;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Compares the gradient of sum(seed x first output) with central differences in double: along one random direction over
 * all elements, and for single elements.
 */
final class GradientCheck {
    private static final double STEP = 1e-6;
    private static final double RELATIVE = 1e-6;
    private static final int SINGLE_ELEMENTS = 8;

    private GradientCheck() {}

    /** What is wrong, if anything. */
    static <A extends OpArgs> Optional<String> check(Op<A> op, Case<A> c, int seed) {
        try (GuardedTensors tensors = new GuardedTensors(
                        DType.F64, GuardedTensors.Layout.ALIGNED, GuardedTensors.Values.UNIFORM, seed);
                Workspace workspace = new Workspace(Memory.host());
                ReferenceBackend backend = new ReferenceBackend(1)) {
            A args = c.build().apply(tensors);
            List<Tensor> inputs = args.inputs().stream()
                    .filter(input -> input.dtype() == DType.F64 && input.elements() > 0)
                    .filter(input -> args.outputs().stream().noneMatch(output -> output == input))
                    .filter(input -> op.hasGradient(args, input))
                    .toList();
            Tensor output = args.outputs().getFirst();
            if (inputs.isEmpty() || output.elements() == 0) {
                return Optional.empty();
            }
            Tensor outputSeed = workspace.allocate(DType.F64, output.shape());
            Rng.of(seed).stream(1000).fillUniform(outputSeed, -1, 1);
            Tape tape = new Tape(backend, workspace);
            inputs.forEach(tape::watch);
            tape.run(op, args);
            Gradients gradients = tape.backward(Map.of(output, outputSeed));
            for (int i = 0; i < inputs.size(); i++) {
                Optional<String> problem = checkInput(op, args, inputs.get(i), i, gradients, outputSeed, backend, seed);
                if (problem.isPresent()) {
                    return problem;
                }
            }
            return Optional.empty();
        }
    }

    private static <A extends OpArgs> Optional<String> checkInput(
            Op<A> op,
            A args,
            Tensor input,
            int position,
            Gradients gradients,
            Tensor outputSeed,
            Executor backend,
            int seed) {
        if (!gradients.has(input)) {
            return Optional.of("no gradient of input " + position + ", " + input);
        }
        Tensor gradient = gradients.of(input);
        int n = (int) input.elements();
        Rng rng = Rng.of(seed).stream(2000 + position);
        List<double[]> directions = new ArrayList<>();
        double[] all = new double[n];
        for (int i = 0; i < n; i++) {
            all[i] = 2 * rng.uniform(i) - 1;
        }
        directions.add(all);
        for (int s = 0; s < Math.min(SINGLE_ELEMENTS, n); s++) {
            double[] single = new double[n];
            single[rng.step(1).below(s, n)] = 1;
            directions.add(single);
        }
        for (double[] direction : directions) {
            double analytic = 0;
            double magnitude = 1e-3;
            for (int i = 0; i < n; i++) {
                double term = gradient.get(i) * direction[i];
                analytic += term;
                magnitude += Math.abs(term);
            }
            double plus = value(op, args, input, direction, STEP, outputSeed, backend);
            double minus = value(op, args, input, direction, -STEP, outputSeed, backend);
            double numeric = (plus - minus) / (2 * STEP);
            double roundoff = 4e-16 / STEP * (Math.abs(plus) + outputSeed.elements());
            if (!(Math.abs(analytic - numeric) <= RELATIVE * magnitude + roundoff)) {
                return Optional.of("gradient of input " + position + ", " + input + ": " + analytic
                        + ", central difference " + numeric);
            }
        }
        return Optional.empty();
    }

    /** sum(seed x output) with one input moved; on copies, since an op may update state in place. */
    private static <A extends OpArgs> double value(
            Op<A> op, A args, Tensor input, double[] direction, double step, Tensor outputSeed, Executor backend) {
        List<Tensor> copies = new ArrayList<>();
        try {
            A moved = ArgsMap.map(args, tensor -> {
                Tensor copy = Tensor.allocate(tensor.dtype(), tensor.shape()).copyFrom(tensor);
                copies.add(copy);
                if (tensor == input) {
                    for (int i = 0; i < direction.length; i++) {
                        copy.set(i, copy.get(i) + step * direction[i]);
                    }
                }
                return copy;
            });
            backend.run(op, moved);
            Tensor output = moved.outputs().getFirst();
            double sum = 0;
            for (long i = 0; i < output.elements(); i++) {
                sum += output.get(i) * outputSeed.get(i);
            }
            return sum;
        } finally {
            copies.forEach(Tensor::close);
        }
    }
}
