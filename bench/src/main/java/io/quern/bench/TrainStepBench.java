package io.quern.bench;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.data.Batch;
import io.quern.nn.Models;
import io.quern.nn.Network;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.train.ConstantRate;
import io.quern.train.CrossEntropyLoss;
import io.quern.train.Sgd;
import io.quern.train.TrainingOptions;
import io.quern.train.TrainingStep;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Forward, backward and update of one batch, on Vector API kernels and on plain Java loops. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 6, time = 2)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class TrainStepBench {
    private static final int CLASSES = 10;
    private static final double RATE = 1e-3;

    @Param({"mlp", "lenet", "resnet20"})
    public String model;

    @Param({"32", "128"})
    public int batch;

    /** {@code quern} is the best backend; {@code scalar} plain loops without the Vector API. */
    @Param({"quern", "scalar"})
    public String impl;

    @Param("2")
    public int threads;

    private Backend backend;
    private Network network;
    private TrainingStep step;
    private Tensor inputs;
    private Tensor labels;
    private Batch samples;
    private long steps;

    @Setup(Level.Trial)
    public void setup() {
        Shape image = model.equals("resnet20") ? Shape.of(32, 32, 3) : Shape.of(28, 28, 1);
        inputs = Rng.of(1).fillNormal(Tensor.allocate(DType.F32, image.prepend(batch)), 0, 1);
        labels = Tensor.allocate(DType.I32, Shape.of(batch));
        for (int i = 0; i < batch; i++) {
            labels.set(i, i % CLASSES);
        }
        samples = new Batch(0, 0, new int[batch], inputs, labels);
        double expected = firstLoss(impl.equals("quern") ? "scalar" : "vector", image);
        double actual = firstLoss(impl.equals("quern") ? "vector" : "scalar", image);
        Verify.close("loss of " + model, new float[] {(float) actual}, new float[] {(float) expected}, 1e-4);
        open(impl.equals("quern") ? "vector" : "scalar", image);
    }

    private double firstLoss(String backendName, Shape image) {
        open(backendName, image);
        try {
            return step.run(samples, 0, RATE).loss();
        } finally {
            closeNetwork();
        }
    }

    private void open(String backendName, Shape image) {
        backend = Backends.of(backendName, threads);
        network = Network.build(Models.named(model, CLASSES), image, Rng.of(1));
        step = new TrainingStep(
                network, backend, TrainingOptions.of(1, new CrossEntropyLoss(), new Sgd(0.9), new ConstantRate(RATE)));
        steps = 0;
    }

    private void closeNetwork() {
        step.close();
        network.close();
        backend.close();
    }

    @Benchmark
    public double step() {
        return step.run(samples, steps++, RATE).loss();
    }

    @TearDown(Level.Trial)
    public void close() {
        closeNetwork();
        inputs.close();
        labels.close();
    }
}
