package io.quern.explain;

import io.quern.nn.Network;
import io.quern.nn.Pass;
import io.quern.op.Executor;
import io.quern.op.Tape;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Memory;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import java.util.Map;

/** One output of a network and its gradient with respect to the input, for several inputs at once, in inference mode. */
final class InputGradient {
    private final Network network;
    private final Executor executor;

    /** @param gradients per input, in row-major order; null where none were asked for */
    record Result(double[] outputs, float[][] gradients) {}

    InputGradient(Network network, Executor executor) {
        this.network = network;
        this.executor = executor;
    }

    Shape inputShape() {
        return network.inputShape();
    }

    void checkInput(float[] input, String name) {
        if (input.length != network.inputShape().elements()) {
            throw new ArgumentException("the " + name + " has " + input.length + " values, the network takes "
                    + network.inputShape() + " per sample");
        }
    }

    Result of(float[][] inputs, int target, boolean gradients) {
        long outputs = network.outputShape().elements();
        if (target < 0 || target >= outputs) {
            throw new ArgumentException("output " + target + " is outside the " + outputs + " of the network");
        }
        try (Workspace workspace = new Workspace(executor.memory())) {
            Tape tape = new Tape(executor, workspace);
            Tensor x = tape.allocate(network.dtype(), network.inputShape().prepend(inputs.length));
            for (int i = 0; i < inputs.length; i++) {
                x.slice(0, i, i + 1).copyFrom(inputs[i]);
            }
            if (gradients) {
                tape.watch(x);
            }
            Tensor y = network.forward(Pass.inference(tape), x);
            double[] values = new double[inputs.length];
            try (Tensor host = y.copyTo(Memory.host())) {
                for (int i = 0; i < inputs.length; i++) {
                    values[i] = host.get(i * outputs + target);
                }
            }
            return new Result(values, gradients ? gradients(tape, x, y, target) : null);
        }
    }

    private static float[][] gradients(Tape tape, Tensor x, Tensor y, int target) {
        long outputs = y.elements() / y.size(0);
        float[][] rows = new float[y.dim(0)][];
        float[] ones = new float[Math.toIntExact(y.elements())];
        for (int i = 0; i < rows.length; i++) {
            ones[Math.toIntExact(i * outputs + target)] = 1;
        }
        Tensor seed = tape.allocate(y.dtype(), y.shape()).copyFrom(ones);
        Tensor dx = tape.backward(Map.of(y, seed)).of(x);
        for (int i = 0; i < rows.length; i++) {
            rows[i] = dx.slice(0, i, i + 1).toFloats();
        }
        return rows;
    }

    /** The point at a share of the straight way. */
    static float[] between(float[] from, float[] to, double share) {
        float[] point = new float[from.length];
        for (int i = 0; i < point.length; i++) {
            point[i] = (float) (from[i] + share * ((double) to[i] - from[i]));
        }
        return point;
    }
}
