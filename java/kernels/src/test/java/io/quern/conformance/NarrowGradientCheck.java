package io.quern.conformance;

import io.quern.backend.Backend;
import io.quern.op.ArgsMap;
import io.quern.op.Case;
import io.quern.op.Gradients;
import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.op.Tape;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Compares the gradients of a call on BF16 tensors with those of the same numbers in double: each has its input's dtype, and
 * is as far away as the roundings on the way allow, taken over the whole tensor.
 */
final class NarrowGradientCheck {
    /**
     * Units in the last place of BF16: results of the forward pass, the gradient, and what it is computed from may each be
     * rounded, and differences of the gradients of softmax and the normalisations enlarge that.
     */
    private static final double ULPS = 16;

    private NarrowGradientCheck() {}

    /** What is wrong, if anything. */
    static <A extends OpArgs> Optional<String> check(Op<A> op, Case<A> c, Backend backend, Backend exact) {
        Map<Tensor, Tensor> narrow = new IdentityHashMap<>();
        Map<Tensor, Tensor> wide = new IdentityHashMap<>();
        try (GuardedTensors tensors = new GuardedTensors(
                        DType.BF16, GuardedTensors.Layout.ALIGNED, GuardedTensors.Values.UNIFORM, 1);
                Workspace workspace = new Workspace(backend.memory());
                Workspace exactWorkspace = new Workspace(exact.memory())) {
            A args = c.build().apply(tensors);
            List<Tensor> inputs = args.inputs().stream()
                    .filter(input -> input.dtype().isReal() && input.elements() > 0)
                    .filter(input -> args.outputs().stream().noneMatch(output -> output == input))
                    .filter(input -> op.hasGradient(args, input))
                    .toList();
            Tensor output = args.outputs().getFirst();
            if (inputs.isEmpty() || output.elements() == 0) {
                return Optional.empty();
            }
            try (Tensor seed = Tensor.allocate(output.dtype(), output.shape())) {
                Rng.of(1).stream(1000).fillUniform(seed, -1, 1);
                A moved = ArgsMap.map(args, tensor -> keep(narrow, tensor, tensor.copyTo(backend.memory())));
                A doubled = ArgsMap.map(args, tensor -> keep(wide, tensor, asDouble(tensor)));
                Gradients gradients = gradients(op, moved, inputs, narrow, seed, new Tape(backend, workspace));
                Gradients expected = gradients(op, doubled, inputs, wide, seed, new Tape(exact, exactWorkspace));
                for (int i = 0; i < inputs.size(); i++) {
                    Tensor gradient = gradients.of(narrow.get(inputs.get(i)));
                    if (gradient.dtype() != inputs.get(i).dtype()) {
                        return Optional.of("gradient of input " + i + ", " + inputs.get(i) + ", is " + gradient);
                    }
                    double[] sizes = distance(gradient, expected.of(wide.get(inputs.get(i))));
                    // elementwise, a slope may be what is left of 1 and a rounded result
                    double slope = seed.elements() == gradient.elements() ? 2 * norm(seed) : 0;
                    if (!(sizes[0] <= DType.BF16.unitRoundoff() * (ULPS * sizes[1] + slope))) {
                        return Optional.of("gradient of input " + i + ", " + inputs.get(i) + ", is off by " + sizes[0]
                                + ", its norm is " + sizes[1]);
                    }
                }
                return Optional.empty();
            }
        } finally {
            narrow.values().forEach(Tensor::close);
            wide.values().forEach(Tensor::close);
        }
    }

    private static Tensor keep(Map<Tensor, Tensor> copies, Tensor tensor, Tensor copy) {
        copies.put(tensor, copy);
        return copy;
    }

    private static Tensor asDouble(Tensor tensor) {
        return Tensor.allocate(tensor.dtype().isReal() ? DType.F64 : tensor.dtype(), tensor.shape())
                .copyFrom(tensor);
    }

    private static <A extends OpArgs> Gradients gradients(
            Op<A> op, A args, List<Tensor> inputs, Map<Tensor, Tensor> copies, Tensor seed, Tape tape) {
        Tensor output = args.outputs().getFirst();
        Tensor placed = tape.allocate(output.dtype(), output.shape()).copyFrom(seed);
        inputs.forEach(input -> tape.watch(copies.get(input)));
        tape.run(op, args);
        return tape.backward(Map.of(output, placed));
    }

    private static double norm(Tensor tensor) {
        double sum = 0;
        for (float value : tensor.toFloats()) {
            sum += value * value;
        }
        return Math.sqrt(sum);
    }

    /** Euclidean norm of the difference, and of what is expected. */
    private static double[] distance(Tensor actual, Tensor expected) {
        float[] values = actual.toFloats();
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < values.length; i++) {
            double e = expected.get(i);
            difference += (values[i] - e) * (values[i] - e);
            norm += e * e;
        }
        return new double[] {Math.sqrt(difference), Math.sqrt(norm)};
    }
}
