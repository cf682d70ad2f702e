package io.quern.bench;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.data.Batch;
import io.quern.nn.Models;
import io.quern.nn.Network;
import io.quern.op.Executor;
import io.quern.tensor.Rng;
import io.quern.tensor.Tensor;
import io.quern.train.ConstantRate;
import io.quern.train.CrossEntropyLoss;
import io.quern.train.Sgd;
import io.quern.train.TrainingOptions;
import io.quern.train.TrainingStep;
import java.util.function.UnaryOperator;

/** Quern's own training step, from the weights of seed 1. */
public final class QuernStep implements Contender {
    private final Backend backend;
    private final Network network;
    private final TrainingStep step;
    private final Batch samples;
    private final Tensor loss;
    private long steps;
    private double last;

    QuernStep(String backend, String model, Tensor inputs, Tensor labels, int threads, Tensor loss) {
        this(Backends.of(backend, threads), UnaryOperator.identity(), model, inputs, labels, loss);
    }

    /** @param executorOf what the step runs its ops on, made of the backend, which this step closes */
    QuernStep(
            Backend backend,
            UnaryOperator<Executor> executorOf,
            String model,
            Tensor inputs,
            Tensor labels,
            Tensor loss) {
        this.loss = loss;
        this.backend = backend;
        network = Network.build(
                Models.named(model, TrainStepBench.CLASSES), inputs.shape().dropFirst(1), Rng.of(1), backend.memory());
        TrainingOptions options = TrainingOptions.of(
                1, new CrossEntropyLoss(), new Sgd(0.9, true, 0), new ConstantRate(TrainStepBench.RATE));
        step = new TrainingStep(network, executorOf.apply(backend), options);
        samples = new Batch(0, 0, new int[inputs.dim(0)], inputs, labels);
    }

    /** Where it runs. */
    public Backend backend() {
        return backend;
    }

    @Override
    public void run() {
        last = step.run(samples, steps++, TrainStepBench.RATE).loss();
    }

    @Override
    public void publish() {
        run();
        run();
        loss.set(0, last);
    }

    @Override
    public void close() {
        step.close();
        network.close();
        backend.close();
    }
}
