package io.quern.explain;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.data.Loader;
import io.quern.data.Normalization;
import io.quern.nn.ModelParser;
import io.quern.nn.Network;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.train.AdamW;
import io.quern.train.CrossEntropyLoss;
import io.quern.train.OneCycle;
import io.quern.train.ToyData;
import io.quern.train.Trainer;
import io.quern.train.TrainingOptions;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class IntegratedGradientsTest {
    private static Backend backend;

    @BeforeAll
    static void open() {
        backend = Backends.best(2);
    }

    @AfterAll
    static void close() {
        backend.close();
    }

    private static Network build(String model, Shape input) {
        return Network.build(ModelParser.parse(model), input, Rng.of(6));
    }

    private static float[] sample(Shape shape, int step) {
        try (Tensor t = Tensor.allocate(DType.F32, shape)) {
            return Rng.of(9).step(step).fillNormal(t, 0, 1).toFloats();
        }
    }

    @ParameterizedTest
    @EnumSource(PathRule.class)
    void onALinearNetworkEachInputGetsItsWeightTimesItsChange(PathRule rule) {
        try (Network network = Network.build(
                ModelParser.parse("dense(3) dense(2)"), Shape.of(4), Rng.of(6), DType.F64, Memory.host())) {
            float[] x = {1, -2, 3, 0.5f};
            float[] baseline = {0.5f, 0, -1, 0.5f};
            for (int steps : new int[] {1, 2, 7, 64}) {
                Attribution a = new IntegratedGradients(network, backend, steps, rule, 5).explain(x, baseline, 1);
                Tensor w1 = network.parameter("dense1.weight").value();
                Tensor w2 = network.parameter("dense2.weight").value();
                for (int i = 0; i < 4; i++) {
                    double weight = 0;
                    for (int h = 0; h < 3; h++) {
                        weight += w1.get(i * 3 + h) * w2.get(h * 2 + 1);
                    }
                    assertEquals(weight * (x[i] - baseline[i]), a.values()[i], 1e-6, rule + " with " + steps);
                }
                assertEquals(0, a.residual(), 1e-6);
            }
        }
    }

    @Test
    void inSinglePrecisionTheLinearCaseHoldsToo() {
        try (Network network = build("dense(1,bias=false)", Shape.of(3))) {
            network.parameter("dense1.weight").value().copyFrom(new float[] {2, -3, 0.5f});
            Attribution a = new IntegratedGradients(network, backend, 64).explain(new float[] {1, 1, 4}, 0);
            assertArrayEquals(new double[] {2, -3, 2}, a.values(), 1e-6);
            assertEquals(1, a.output(), 1e-6);
            assertEquals(0, a.baselineOutput());
            assertEquals(0, a.relativeResidual(), 1e-6);
        }
    }

    /**
     * The pair of the paper's appendix: f = relu(relu(x1) - 1 - relu(x2)) and g = relu(relu(x1 - 1) - relu(x2)) are the same
     * function, and at (3, 1) both give (1.5, -0.5).
     */
    @Test
    void networksOfTheSameFunctionGetTheSameAttributions() {
        try (Network f = build("dense(2) relu dense(1) relu", Shape.of(2));
                Network g = build("dense(2) relu dense(1) relu", Shape.of(2))) {
            for (Network network : List.of(f, g)) {
                network.parameter("dense1.weight").value().copyFrom(new float[] {1, 0, 0, 1});
                network.parameter("dense2.weight").value().copyFrom(new float[] {1, -1});
            }
            f.parameter("dense2.bias").value().fill(-1);
            g.parameter("dense1.bias").value().copyFrom(new float[] {-1, 0});
            float[] x = {3, 1};
            for (Network network : List.of(f, g)) {
                Attribution a = new IntegratedGradients(network, backend, 64).explain(x, 0);
                assertArrayEquals(new double[] {1.5, -0.5}, a.values(), 1e-5);
                assertEquals(a.residual(), Math.abs(a.sum() - 1), 1e-6);
            }
        }
    }

    /** f = tanh(x) with the baseline 0: the only input gets all of tanh(x), at one precision for each rule. */
    @Test
    void onSmoothNetworksGaussLegendreConvergesFaster() {
        try (Network network =
                Network.build(ModelParser.parse("dense(1) tanh"), Shape.of(1), Rng.of(1), DType.F64, Memory.host())) {
            network.parameter("dense1.weight").value().fill(1);
            float[] x = {1.5f};
            double gauss = new IntegratedGradients(network, backend, 8, PathRule.GAUSS_LEGENDRE, 8)
                    .explain(x, 0)
                    .residual();
            double midpoint = new IntegratedGradients(network, backend, 8, PathRule.MIDPOINT, 8)
                    .explain(x, 0)
                    .residual();
            assertTrue(gauss < 1e-6, "" + gauss);
            assertTrue(midpoint > 1e-4 && midpoint < 1e-2, "" + midpoint);
        }
    }

    @Test
    void gaussLegendreHasItsKnownNodes() {
        double[][] three = PathRule.GAUSS_LEGENDRE.nodes(3);
        double root = Math.sqrt(0.6) / 2;
        assertArrayEquals(new double[] {0.5 - root, 0.5, 0.5 + root}, three[0], 1e-15);
        assertArrayEquals(new double[] {5 / 18.0, 8 / 18.0, 5 / 18.0}, three[1], 1e-14);
        for (int steps : new int[] {1, 2, 5, 64, 200}) {
            double[][] nodes = PathRule.GAUSS_LEGENDRE.nodes(steps);
            double sum = 0;
            double cube = 0;
            for (int k = 0; k < steps; k++) {
                sum += nodes[1][k];
                cube += nodes[1][k] * Math.pow(nodes[0][k], 3);
            }
            assertEquals(1, sum, 1e-13);
            assertEquals(steps == 1 ? 0.125 : 0.25, cube, 1e-13);
        }
    }

    /** What a user sees: a trained convolutional network with rectifiers and 64 steps. */
    @Test
    void onATrainedRectifierNetworkLessThanOnePercentIsLeftOut() {
        ToyData data = ToyData.quarters(256, 12, 1);
        String model = "conv(8,3,padding=same) relu maxpool(2) conv(16,3,padding=same) relu maxpool(2) "
                + "flatten dense(32) relu dropout(0.2) dense(4)";
        try (Network network = build(model, data.sampleShape());
                Trainer trainer = new Trainer(
                        network,
                        backend,
                        TrainingOptions.of(6, new CrossEntropyLoss(), new AdamW(), new OneCycle(0.01)))) {
            trainer.fit(Loader.shuffled(data, 32, 1));
            IntegratedGradients explainer = new IntegratedGradients(network, backend, 64);
            IntegratedGradients evenly = new IntegratedGradients(network, backend, 64, PathRule.MIDPOINT, 64);
            double worst = 0;
            double worstEvenly = 0;
            for (int i = 0; i < 20; i++) {
                float[] x = new float[144];
                data.read(i, x, 0);
                Attribution a = explainer.explain(x, data.label(i));
                assertTrue(Math.abs(a.output() - a.baselineOutput()) > 1, "a difference worth explaining");
                worst = Math.max(worst, a.relativeResidual());
                worstEvenly =
                        Math.max(worstEvenly, evenly.explain(x, data.label(i)).relativeResidual());
            }
            assertTrue(worst < 0.01, "relative residual " + worst);
            assertTrue(worst < worstEvenly, worst + " where the gradient jumps, " + worstEvenly + " in equal parts");
        }
    }

    @Test
    void theBatchOfStepsDoesNotChangeTheAnswer() {
        try (Network network = build("conv(3,3) relu batchnorm flatten dropout(0.5) dense(2)", Shape.of(5, 5, 1))) {
            float[] x = sample(Shape.of(5, 5, 1), 1);
            float[] state = network.kept().values().toFloats();
            for (PathRule rule : PathRule.values()) {
                Attribution whole = new IntegratedGradients(network, backend, 10, rule, 10).explain(x, 1);
                Attribution parts = new IntegratedGradients(network, backend, 10, rule, 3).explain(x, 1);
                assertArrayEquals(whole.values(), parts.values(), 1e-6);
            }
            assertArrayEquals(state, network.kept().values().toFloats(), "inference mode");
        }
    }

    @Test
    void saliencyIsTheGradient() {
        try (Network network = build("dense(2) relu dense(1)", Shape.of(2))) {
            network.parameter("dense1.weight").value().copyFrom(new float[] {1, 4, 2, 5});
            network.parameter("dense2.weight").value().copyFrom(new float[] {10, 100});
            Attribution on = new Saliency(network, backend).explain(new float[] {1, 1}, 0);
            assertArrayEquals(new double[] {410, 520}, on.values(), 1e-3);
            assertEquals(10 * 3 + 100 * 9, on.output(), 1e-3);
            assertTrue(Double.isNaN(on.residual()), "saliency promises no completeness");
            Attribution off = new Saliency(network, backend).explain(new float[] {-1, -1}, 0);
            assertArrayEquals(new double[] {0, 0}, off.values());
        }
    }

    @Test
    void baselinesAreInNormalisedSpace() {
        Normalization normalization = new Normalization(List.of(0.5, 0.25), List.of(0.25, 0.5));
        assertArrayEquals(new float[] {0, 0, 0, 0}, Baselines.zeros(Shape.of(1, 2, 2)));
        assertArrayEquals(new float[] {-2, -0.5f, -2, -0.5f}, Baselines.black(Shape.of(1, 2, 2), normalization));
        assertThrows(ArgumentException.class, () -> Baselines.black(Shape.of(2, 2, 1), normalization));
    }

    @Test
    void whatDoesNotFitIsRefused() {
        try (Network network = build("dense(2)", Shape.of(3))) {
            IntegratedGradients explainer = new IntegratedGradients(network, backend, 4);
            assertEquals(
                    "the input has 2 values, the network takes 3 per sample",
                    assertThrows(ArgumentException.class, () -> explainer.explain(new float[2], 0))
                            .getMessage());
            assertEquals(
                    "output 2 is outside the 2 of the network",
                    assertThrows(ArgumentException.class, () -> explainer.explain(new float[3], 2))
                            .getMessage());
            assertThrows(ArgumentException.class, () -> new IntegratedGradients(network, backend, 0));
        }
    }
}
