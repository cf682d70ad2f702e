package io.quern.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.op.Gradients;
import io.quern.op.Tape;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import io.quern.train.CrossEntropyLoss;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Gradients through whole networks against finite differences, in double precision. */
class NetworkGradientTest {
    private static final int BATCH = 3;
    private static final double H = 1e-6;

    private static double loss(Network network, Backend backend, Tensor x, Tensor labels, List<double[]> gradients) {
        try (Workspace workspace = new Workspace(Memory.host())) {
            Tape tape = new Tape(backend, workspace);
            Tensor y = network.forward(Pass.training(tape, Rng.of(3).step(1)), x);
            Tensor loss = new CrossEntropyLoss().withLabelSmoothing(0.1).apply(tape, y, labels);
            if (gradients != null) {
                Gradients found = tape.backward(loss);
                for (Parameter parameter : network.parameters()) {
                    Tensor gradient = found.of(parameter.value());
                    double[] values = new double[(int) gradient.elements()];
                    for (int i = 0; i < values.length; i++) {
                        values[i] = gradient.get(i);
                    }
                    gradients.add(values);
                }
            }
            return loss.item();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "conv(3,3,padding=same) gelu maxpool(2) flatten dense(5) tanh dropout(0.3) dense(4)",
                "conv(4,3,stride=2,padding=1,bias=false) batchnorm silu depthwise(2) sigmoid globalavgpool layernorm dense(4)",
                "conv(4,3,dilation=2,groups=1) residual(conv(4,3,padding=same) batchnorm gelu conv(4,1) | conv(4,1)) "
                        + "avgpool(2) flatten dense(4)",
            })
    void agreeWithFiniteDifferences(String model) {
        try (Backend backend = Backends.of("reference", 1);
                Network network = Network.build(
                        ModelParser.parse(model), Shape.of(6, 6, 2), Rng.of(2), DType.F64, Memory.host());
                Tensor x = Tensor.allocate(DType.F64, Shape.of(BATCH, 6, 6, 2));
                Tensor labels = Tensor.allocate(DType.I32, Shape.of(BATCH)).copyFrom(new int[] {0, 3, 1})) {
            Rng.of(8).fillNormal(x, 0, 1);
            List<double[]> gradients = new ArrayList<>();
            loss(network, backend, x, labels, gradients);
            double largest = 0;
            for (int p = 0; p < gradients.size(); p++) {
                Parameter parameter = network.parameters().get(p);
                Tensor value = parameter.value();
                for (int i = 0; i < value.elements(); i += 1 + (int) value.elements() / 7) {
                    double kept = value.get(i);
                    value.set(i, kept + H);
                    double above = loss(network, backend, x, labels, null);
                    value.set(i, kept - H);
                    double below = loss(network, backend, x, labels, null);
                    value.set(i, kept);
                    assertEquals((above - below) / (2 * H), gradients.get(p)[i], 2e-8, parameter + " at " + i);
                    largest = Math.max(largest, Math.abs(gradients.get(p)[i]));
                }
            }
            assertTrue(largest > 1e-3, "gradients that matter");
        }
    }
}
