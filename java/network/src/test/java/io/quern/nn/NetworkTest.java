package io.quern.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.op.ActivationKind;
import io.quern.op.Tape;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.ClosedException;
import io.quern.tensor.Memory;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class NetworkTest {
    private static Backend backend;

    @BeforeAll
    static void open() {
        backend = Backends.of("reference", 1);
    }

    @AfterAll
    static void close() {
        backend.close();
    }

    private static Network build(String model, Shape input) {
        return Network.build(ModelParser.parse(model), input, Rng.of(1));
    }

    /** The output for one sample, in inference mode or in step {@code step} of a training. */
    private static float[] run(Network network, int step, float... sample) {
        try (Workspace workspace = new Workspace(Memory.host())) {
            Tape tape = new Tape(backend, workspace);
            Tensor x = tape.allocate(network.dtype(), network.inputShape().prepend(1))
                    .copyFrom(sample);
            Pass pass = step < 0
                    ? Pass.inference(tape)
                    : Pass.training(tape, Rng.of(5).step(step));
            return network.forward(pass, x).toFloats();
        }
    }

    private static void set(Network network, String name, float... values) {
        network.parameter(name).value().copyFrom(values);
    }

    @Test
    void parametersHaveNamesByKindAndNumber() {
        try (Network network = build(
                "conv(4,3) batchnorm relu conv(4,3,bias=false) residual(conv(4,3,padding=same) | conv(4,1)) flatten dense(2)",
                Shape.of(8, 8, 1))) {
            assertEquals(
                    List.of(
                            "conv1.weight",
                            "conv1.bias",
                            "batchnorm1.gamma",
                            "batchnorm1.beta",
                            "conv2.weight",
                            "residual1.conv1.weight",
                            "residual1.conv1.bias",
                            "residual1.shortcut1.conv1.weight",
                            "residual1.shortcut1.conv1.bias",
                            "dense1.weight",
                            "dense1.bias"),
                    network.parameters().stream().map(Parameter::name).toList());
            assertEquals(
                    List.of("batchnorm1.mean", "batchnorm1.variance"),
                    network.state().stream().map(Parameter::name).toList());
            assertSame(
                    network.parameter("conv2.weight").value(),
                    network.parameter("conv2.weight").value());
            assertTrue(assertThrows(ArgumentException.class, () -> network.parameter("conv3.weight"))
                    .getMessage()
                    .contains("no parameter 'conv3.weight'"));
        }
    }

    /** 5x5x1x6 + 6, 5x5x6x16 + 16, 400x120 + 120, 120x84 + 84, 84x10 + 10. */
    @Test
    void knownModelsHaveTheirKnownNumberOfParameters() {
        try (Network lenet = Network.build(Models.lenet(10), Shape.of(28, 28, 1), Rng.of(1));
                Network resnet = Network.build(Models.resnet20(10), Shape.of(32, 32, 3), Rng.of(1));
                Network mlp = Network.build(Models.mlp(10, 100), Shape.of(28, 28, 1), Rng.of(1));
                Network cnn = Network.build(Models.cnn(10), Shape.of(28, 28, 1), Rng.of(1))) {
            assertEquals(61_706, lenet.parameterCount());
            // the 269,722 of option A, and the two projections with their norms
            assertEquals(269_722 + 16 * 32 + 64 + 32 * 64 + 128, resnet.parameterCount());
            assertEquals(784 * 100 + 100 + 1000 + 10, mlp.parameterCount());
            for (Network network : List.of(lenet, resnet, mlp, cnn)) {
                assertEquals(Shape.of(10), network.outputShape());
            }
        }
    }

    @Test
    void theSummaryIsATable() {
        try (Network network = build("conv(4,3) relu maxpool(2) flatten dense(10)", Shape.of(28, 28, 1))) {
            assertEquals("""
                       layer       output   parameters
                       input       28x28x1
                    1  conv(4,3)   26x26x4          40
                    2  relu        26x26x4
                    3  maxpool(2)  13x13x4
                    4  flatten     676
                    5  dense(10)   10            6,770
                       total                     6,810
                    """, network.summary());
        }
    }

    @Test
    void aDenseLayerIsItsFormula() {
        try (Network network = build("dense(2) relu", Shape.of(3))) {
            set(network, "dense1.weight", 1, 2, 3, 4, 5, 6);
            set(network, "dense1.bias", 0.5f, -100);
            // 1*1 + 2*3 - 1*5 + 0.5 = 2.5, 1*2 + 2*4 - 1*6 - 100 < 0
            assertArrayEquals(new float[] {2.5f, 0}, run(network, -1, 1, 2, -1));
        }
    }

    @Test
    void dropoutIsFusedIntoTheLayerInFrontWithTheSameNumbers() {
        ActivationLayer relu = new ActivationLayer(ActivationKind.RELU);
        Sequential fused = Sequential.of(new DenseLayer(40), relu, new DropoutLayer(0.5), new DropoutLayer(0.25));
        Sequential apart = Sequential.of(
                Sequential.of(new DenseLayer(40), relu),
                Sequential.of(new DropoutLayer(0.5)),
                Sequential.of(new DropoutLayer(0.25)));
        try (Network a = Network.build(fused, Shape.of(3), Rng.of(1));
                Network b = Network.build(apart, Shape.of(3), Rng.of(1));
                Workspace workspace = new Workspace(Memory.host())) {
            for (int step = -1; step < 3; step++) {
                assertArrayEquals(run(b, step, 1, 2, -1), run(a, step, 1, 2, -1), "step " + step);
            }
            Tape tape = new Tape(backend, workspace);
            a.forward(Pass.training(tape, Rng.of(1)), tape.allocate(a.dtype(), Shape.of(1, 3)));
            assertEquals(2, tape.entries().size(), "matmul with the first dropout, then the second");
        }
    }

    @Test
    void activationsAreFusedIntoTheLayerInFront() {
        try (Network network = build("conv(2,3) relu flatten dense(3) gelu tanh dense(2)", Shape.of(4, 4, 1));
                Workspace workspace = new Workspace(Memory.host())) {
            Tape tape = new Tape(backend, workspace);
            Tensor x = tape.allocate(network.dtype(), Shape.of(1, 4, 4, 1)).fill(1);
            network.forward(Pass.training(tape, Rng.of(1)), x);
            List<String> ops = tape.entries().stream()
                    .filter(Tape.Call.class::isInstance)
                    .map(entry -> ((Tape.Call<?>) entry).op().name())
                    .toList();
            assertEquals(List.of("Conv2d", "Matmul", "Activation", "Matmul"), ops, "only tanh stands alone");
        }
    }

    @Test
    void aConvolutionIsItsFormula() {
        try (Network network = build("conv(1,2) tanh", Shape.of(2, 3, 1))) {
            set(network, "conv1.weight", 1, 0, 0, -1);
            set(network, "conv1.bias", 0.25f);
            // x[h][w] - x[h+1][w+1] + bias of (1 2 3 / 4 5 6): -4 + 0.25 twice
            float expected = (float) Math.tanh(-3.75);
            assertArrayEquals(new float[] {expected, expected}, run(network, -1, 1, 2, 3, 4, 5, 6), 1e-6f);
        }
    }

    @Test
    void aDepthwiseConvolutionKeepsChannelsApart() {
        try (Network network = build("depthwise(1)", Shape.of(1, 1, 3))) {
            assertEquals(
                    Shape.of(1, 1, 1, 3), network.parameter("depthwise1.weight").shape());
            set(network, "depthwise1.weight", 2, 3, 4);
            assertArrayEquals(new float[] {2, 30, 400}, run(network, -1, 1, 10, 100));
        }
    }

    @Test
    void poolingFlattenAndGlobalAverageByHand() {
        float[] image = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
        Shape shape = Shape.of(4, 4, 1);
        try (Network max = build("maxpool(2) flatten", shape);
                Network avg = build("avgpool(2)", shape);
                Network overlapping = build("maxpool(3,stride=2,padding=1)", shape);
                Network global = build("globalavgpool", shape)) {
            assertArrayEquals(new float[] {6, 8, 14, 16}, run(max, -1, image));
            assertArrayEquals(new float[] {3.5f, 5.5f, 11.5f, 13.5f}, run(avg, -1, image));
            assertArrayEquals(new float[] {6, 8, 14, 16}, run(overlapping, -1, image));
            assertArrayEquals(new float[] {8.5f}, run(global, -1, image));
            assertEquals(Shape.of(4), max.outputShape());
            assertEquals(Shape.of(2, 2, 1), overlapping.outputShape());
            assertEquals(Shape.of(1), global.outputShape());
        }
    }

    @Test
    void aResidualLayerAddsItsShortcut() {
        try (Network plain = build("residual(dense(2,bias=false))", Shape.of(2));
                Network projected = build("residual(dense(1,bias=false) | dense(1,bias=false))", Shape.of(2))) {
            set(plain, "residual1.dense1.weight", 1, 0, 0, 2);
            assertArrayEquals(new float[] {6, 15}, run(plain, -1, 3, 5));
            set(projected, "residual1.dense1.weight", 1, 1);
            set(projected, "residual1.shortcut1.dense1.weight", 10, 100);
            assertArrayEquals(new float[] {8 + 530}, run(projected, -1, 3, 5));
        }
    }

    @Test
    void dropoutDrawsAnewInEachStepAndRestsInInference() {
        float[] ones = new float[1000];
        Arrays.fill(ones, 1);
        try (Network network = build("dropout(0.25) dropout(0.25)", Shape.of(1000))) {
            assertArrayEquals(ones, run(network, -1, ones));
            float[] first = run(network, 0, ones);
            assertArrayEquals(first, run(network, 0, ones), "a function of the step");
            assertFalse(Arrays.equals(first, run(network, 1, ones)));
            int kept = 0;
            for (float value : first) {
                assertTrue(value == 0 || Math.abs(value - 16 / 9f) < 1e-5, "0 or 1 / 0.75 / 0.75: " + value);
                kept += value == 0 ? 0 : 1;
            }
            // two independent layers keep 0.5625 of 1000: five standard deviations are 78; one stream for both keeps
            // 750
            assertEquals(562.5, kept, 78);
        }
    }

    @Test
    void batchNormLearnsItsStatisticsInTrainingAndUsesThemInInference() {
        try (Network network = build("batchnorm(momentum=0.5)", Shape.of(2, 1, 1))) {
            // batch mean 3, variance 1 (biased) and 2 (unbiased)
            float[] trained = run(network, 0, 2, 4);
            assertArrayEquals(new float[] {-1, 1}, trained, 1e-4f);
            assertEquals(1.5, network.parameter("batchnorm1.mean").value().item(), 1e-6);
            assertEquals(1.5, network.parameter("batchnorm1.variance").value().item(), 1e-6);
            float[] before = network.kept().values().toFloats();
            float expected = (float) (0.5 / Math.sqrt(1.5 + 1e-5));
            assertArrayEquals(new float[] {expected, -expected}, run(network, -1, 2, 1), 1e-6f);
            assertArrayEquals(before, network.kept().values().toFloats(), "inference changes no state");
        }
    }

    @Test
    void layerNormIsTheSameInBothModes() {
        try (Network network = build("layernorm", Shape.of(4))) {
            float s = (float) (1 / Math.sqrt(1.25 + 1e-5));
            float[] expected = {-1.5f * s, -0.5f * s, 0.5f * s, 1.5f * s};
            assertArrayEquals(expected, run(network, -1, 1, 2, 3, 4), 1e-6f);
            assertArrayEquals(expected, run(network, 0, 1, 2, 3, 4), 1e-6f);
        }
    }

    @Test
    void weightsComeFirstInOneAlignedBlock() {
        try (Network network = build("dense(3) layernorm dense(2)", Shape.of(5))) {
            ParameterBlock block = network.trained();
            // 15 -> 16, 6 -> 16 | 3 -> 16 three times, 2 -> 16
            assertEquals(32, block.decayed().elements());
            assertEquals(64, block.undecayed().elements());
            for (Parameter parameter : network.parameters()) {
                assertEquals(0, parameter.value().address() % Memory.ALIGNMENT, parameter.name());
                boolean first = parameter.value().address()
                        < block.values().address() + 4 * block.decayed().elements();
                assertEquals(parameter.decayed(), first, parameter.name());
            }
            block.values().fill(7);
            assertEquals(7, network.parameter("dense2.bias").value().get(1), "views of one memory");
        }
    }

    @Test
    void theSeedDecidesTheInitialValuesAndEachParameterHasItsStream() {
        Sequential model = ModelParser.parse("dense(4) dense(4) dense(4)");
        try (Network a = Network.build(model, Shape.of(4), Rng.of(1));
                Network b = Network.build(model, Shape.of(4), Rng.of(1));
                Network c = Network.build(model, Shape.of(4), Rng.of(2))) {
            assertArrayEquals(
                    a.trained().values().toFloats(), b.trained().values().toFloats());
            assertFalse(Arrays.equals(
                    a.trained().values().toFloats(), c.trained().values().toFloats()));
            assertNotEquals(
                    a.parameter("dense1.weight").value().get(0),
                    a.parameter("dense2.weight").value().get(0));
        }
    }

    @Test
    void aWrongInputIsRefused() {
        try (Network network = build("dense(2)", Shape.of(3))) {
            try (Workspace workspace = new Workspace(Memory.host());
                    Tensor wrong = Tensor.of(Shape.of(1, 4), 1, 2, 3, 4)) {
                Pass pass = Pass.inference(new Tape(backend, workspace));
                assertEquals(
                        "the input is F32[1x4], expected a batch of samples of 3",
                        assertThrows(ArgumentException.class, () -> network.forward(pass, wrong))
                                .getMessage());
            }
        }
    }

    @Test
    void aClosedNetworkIsNoLongerUsable() {
        Network network = build("dense(2)", Shape.of(1));
        network.close();
        network.close();
        assertThrows(ClosedException.class, () -> run(network, -1, 1));
    }
}
