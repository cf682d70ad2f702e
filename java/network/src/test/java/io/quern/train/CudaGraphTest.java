package io.quern.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.cuda.CudaBackend;
import io.quern.data.Batches;
import io.quern.data.Loader;
import io.quern.nn.ModelParser;
import io.quern.nn.Network;
import io.quern.op.Add;
import io.quern.op.Executor;
import io.quern.op.Scale;
import io.quern.op.Tape;
import io.quern.regularize.WeightPenalty;
import io.quern.tensor.DType;
import io.quern.tensor.QuernException;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.testing.OnEveryCudaDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Training steps that are captured as CUDA graphs have the bits of those that are launched op by op. */
class CudaGraphTest extends OnEveryCudaDevice {
    private static final String GRAPHS = "quern.cuda.graphs";
    private static final String DENSE = "flatten dense(9) relu dropout(0.2) dense(4) dropout(0.1)";
    private static final String CONVOLUTIONS =
            "conv(4,3) batchnorm relu maxpool(2) flatten dense(16) layernorm gelu dropout(0.25) dense(4)";

    @AfterEach
    void clear() {
        System.clearProperty(GRAPHS);
    }

    private static TrainingOptions options(int epochs, Optimizer optimizer) {
        return TrainingOptions.of(epochs, new CrossEntropyLoss(), optimizer, new OneCycle(1e-2));
    }

    /** What a training comes to. */
    private record Trained(
            List<Double> losses, List<Integer> right, float[] weights, float[] state, long graphLaunches) {
        void assertSame(Trained other) {
            assertEquals(other.losses, losses);
            assertEquals(other.right, right);
            assertArrayEquals(other.weights, weights);
            assertArrayEquals(other.state, state);
        }
    }

    private Trained train(boolean graphs, String model, ToyData data, int batch, TrainingOptions options) {
        System.setProperty(GRAPHS, Boolean.toString(graphs));
        List<Double> losses = new ArrayList<>();
        List<Integer> right = new ArrayList<>();
        try (CudaBackend backend = device.open();
                Network network = Network.build(
                        ModelParser.parse(model), data.sampleShape(), Rng.of(7), DType.F32, backend.memory());
                Trainer trainer = new Trainer(network, backend, options)) {
            trainer.listen(new TrainingListener() {
                @Override
                public void onStep(Trainer source, Step step) {
                    losses.add(step.loss());
                    right.add(step.right());
                }
            });
            trainer.fit(Loader.shuffled(data, batch, 3), Loader.inOrder(data, 2 * batch));
            return new Trained(
                    losses,
                    right,
                    network.trained().values().toFloats(),
                    network.kept().values().toFloats(),
                    backend.graphLaunches());
        }
    }

    private Trained bothWays(String model, ToyData data, int batch, TrainingOptions options) {
        Trained opByOp = train(false, model, data, batch, options);
        assertEquals(0, opByOp.graphLaunches);
        Trained graphs = train(true, model, data, batch, options);
        graphs.assertSame(opByOp);
        return graphs;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void lossesAndWeightsAreEqualBitForBit(boolean late) {
        device.setLate(late);
        ToyData data = ToyData.quarters(60, 8, 1);
        TrainingOptions adam = options(3, new AdamW()).withClipNorm(1).withSeed(5);
        // 7 full batches and a short one: two steps to watch, then one per epoch and the short one op by op
        assertTrue(bothWays(DENSE, data, 8, adam).graphLaunches >= 15);
        TrainingOptions sgd = options(2, new Sgd(0.9, true, 1e-3)).withPenalty(new WeightPenalty(1e-4, 1e-3));
        assertTrue(bothWays(CONVOLUTIONS, data, 8, sgd).graphLaunches >= 9);
    }

    @Test
    void lossesWithNumbersOfTheHostAreCapturedToo() {
        ToyData data = ToyData.quarters(48, 8, 1);
        Loss weighted = new CrossEntropyLoss(List.of(1.0, 2.0, 0.5, 3.0), 0.1, -1);
        for (Loss loss : List.of(weighted, new SquaredErrorLoss())) {
            TrainingOptions options = TrainingOptions.of(2, loss, new Sgd(0), new ConstantRate(0.05));
            assertTrue(bothWays(DENSE, data, 8, options).graphLaunches >= 8, loss.toString());
        }
    }

    @Test
    void aRepeatedStepIsOneLaunch() {
        ToyData data = ToyData.quarters(80, 8, 1);
        List<Long> launches = new ArrayList<>();
        try (CudaBackend backend = device.open();
                Network network = Network.build(
                        ModelParser.parse(CONVOLUTIONS), data.sampleShape(), Rng.of(7), DType.F32, backend.memory());
                Trainer trainer =
                        new Trainer(network, backend, options(1, new AdamW()).withClipNorm(1))) {
            trainer.listen(new TrainingListener() {
                @Override
                public void onStep(Trainer source, Step step) {
                    launches.add(1000 * backend.graphLaunches() + backend.kernelLaunches());
                }
            });
            trainer.fit(Loader.inOrder(data, 8));
        }
        long captured = launches.get(2) - launches.get(1);
        assertTrue(captured > 1020, "the third step is captured and launched once: " + launches);
        for (int step = 3; step < 10; step++) {
            assertEquals(1000, launches.get(step) - launches.get(step - 1), "step " + step + " of " + launches);
        }
    }

    /** With it each launch is waited for and named, which takes launches op by op. */
    @Test
    void theDebugFlagRunsOpByOp() {
        ToyData data = ToyData.quarters(48, 8, 1);
        Trained opByOp = train(false, DENSE, data, 8, options(1, new AdamW()));
        System.setProperty("quern.cuda.sync", "true");
        try {
            Trained waiting = train(true, DENSE, data, 8, options(1, new AdamW()));
            waiting.assertSame(opByOp);
            assertEquals(0, waiting.graphLaunches);
        } finally {
            System.clearProperty("quern.cuda.sync");
        }
    }

    /** Two models by turns on one device: the larger one moves the scratch memory that the smaller one's graph uses. */
    @Test
    void anotherModelBetweenTheStepsChangesNoBit() {
        List<float[]> both = new ArrayList<>();
        for (boolean graphs : new boolean[] {false, true}) {
            System.setProperty(GRAPHS, Boolean.toString(graphs));
            ToyData small = ToyData.quarters(64, 8, 1);
            ToyData large = ToyData.quarters(32, 46, 1);
            try (CudaBackend backend = device.open();
                    Network one = Network.build(
                            ModelParser.parse(CONVOLUTIONS),
                            small.sampleShape(),
                            Rng.of(7),
                            DType.F32,
                            backend.memory());
                    Network two = Network.build(
                            ModelParser.parse("flatten dense(257) relu dense(4)"),
                            large.sampleShape(),
                            Rng.of(8),
                            DType.F32,
                            backend.memory());
                    TrainingStep first = new TrainingStep(
                            one, backend, options(1, new AdamW()).withClipNorm(1));
                    TrainingStep second = new TrainingStep(two, backend, options(1, new Sgd(0.9)));
                    Batches of = Loader.inOrder(small, 8).epoch(0);
                    Batches ofLarge = Loader.inOrder(large, 8).epoch(0)) {
                for (int step = 0; step < 8; step++) {
                    first.run(of.next(), step, 1e-3);
                    if (step >= 4) {
                        second.run(ofLarge.next(), step - 4, 1e-3);
                    }
                }
                both.add(one.trained().values().toFloats());
                both.add(two.trained().values().toFloats());
                assertEquals(graphs, backend.graphLaunches() >= 5, backend.graphLaunches() + " graph launches");
            }
        }
        assertArrayEquals(both.get(0), both.get(2));
        assertArrayEquals(both.get(1), both.get(3));
    }

    /** Looks at the output on the host, within the step. */
    private record Curious(Loss inner) implements Loss {
        @Override
        public Tensor apply(Tape tape, Tensor output, Tensor labels) {
            assertTrue(Float.isFinite(output.toFloats()[0]));
            return inner.apply(tape, output, labels);
        }
    }

    /** Counts on its own, which no device sees. */
    private static final class Annealed implements Loss {
        private final int period;
        private int calls;

        Annealed(int period) {
            this.period = period;
        }

        @Override
        public Tensor apply(Tape tape, Tensor output, Tensor labels) {
            return new CrossEntropyLoss().apply(tape, output, labels); // evaluation
        }

        @Override
        public UnaryOperator<Tensor> prepare(Tape tape, DType dtype, Shape output, Tensor labels) {
            double factor = 1.0 / (1 + calls++ / period);
            var loss = new CrossEntropyLoss().prepare(tape, dtype, output, labels);
            return y -> {
                Tensor scaled = tape.allocate(dtype, output);
                tape.run(Scale.OP, new Scale.Args(y, scaled, factor));
                return loss.apply(scaled);
            };
        }
    }

    /** Made of other ops than the optimizers'. */
    private record Plain() implements Optimizer {
        @Override
        public List<String> slots() {
            return List.of();
        }

        @Override
        public double weightDecay() {
            return 0;
        }

        @Override
        public void update(
                Executor executor,
                Tensor parameters,
                Tensor gradients,
                List<Tensor> memory,
                double rate,
                double decay,
                long step) {
            executor.run(Scale.OP, new Scale.Args(gradients, gradients, -rate));
            executor.run(Add.OP, new Add.Args(parameters, gradients, parameters));
        }
    }

    @Test
    void whatNoGraphCanRepeatIsLaunchedOpByOp() {
        ToyData data = ToyData.quarters(48, 8, 1);
        Loss curious = new Curious(new CrossEntropyLoss());
        TrainingOptions looking = TrainingOptions.of(2, curious, new AdamW(), new ConstantRate(0.01));
        assertEquals(0, bothWays(DENSE, data, 8, looking).graphLaunches);
        TrainingOptions plain = TrainingOptions.of(2, new CrossEntropyLoss(), new Plain(), new OneCycle(0.1));
        assertEquals(0, bothWays(DENSE, data, 8, plain).graphLaunches);
    }

    /** Anew in each step, within an epoch of eight, and from epoch to epoch. */
    @ParameterizedTest
    @ValueSource(ints = {1, 3, 5, 8})
    void aLossThatChangesIsNoticed(int period) {
        ToyData data = ToyData.quarters(64, 8, 1);
        List<Trained> both = new ArrayList<>();
        for (boolean graphs : new boolean[] {false, true}) {
            Loss loss = new Annealed(period);
            both.add(train(graphs, DENSE, data, 8, TrainingOptions.of(3, loss, new AdamW(), new ConstantRate(0.01))));
        }
        both.get(1).assertSame(both.get(0));
        assertEquals(period > 1, both.get(1).graphLaunches > 8, both.get(1).graphLaunches + " graph launches");
    }

    /** Sample 50 is not a number: its step must leave the parameters as they were, op by op or captured. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aLossThatIsNotFiniteLeavesTheParameters(boolean graphs) {
        System.setProperty(GRAPHS, Boolean.toString(graphs));
        ToyData data = ToyData.quarters(64, 8, 1);
        data.samples()[50][3] = Float.NaN;
        List<float[]> weights = new ArrayList<>();
        try (CudaBackend backend = device.open();
                Network network = Network.build(
                        ModelParser.parse(DENSE), data.sampleShape(), Rng.of(7), DType.F32, backend.memory());
                Trainer trainer = new Trainer(network, backend, options(1, new AdamW()))) {
            trainer.listen(new TrainingListener() {
                @Override
                public void onStep(Trainer source, Step step) {
                    weights.add(network.trained().values().toFloats());
                }
            });
            String message = assertThrows(QuernException.class, () -> trainer.fit(Loader.inOrder(data, 8)))
                    .getMessage();
            assertTrue(message.startsWith("the loss is NaN in epoch 1, batch 7, step 7"), message);
            assertArrayEquals(weights.get(5), network.trained().values().toFloats());
            assertEquals(graphs ? 5 : 0, backend.graphLaunches());
        }
    }
}
