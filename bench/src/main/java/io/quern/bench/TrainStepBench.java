package io.quern.bench;

import io.quern.bench.peer.Library;
import io.quern.bench.peer.TrainStepLibtorch;
import io.quern.nn.Models;
import io.quern.nn.Network;
import io.quern.op.Cost;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/**
 * Forward, backward and update (SGD with Nesterov momentum) of one batch. What is compared is the loss of the third step,
 * so that the updates are verified too.
 */
public class TrainStepBench extends OpBench {
    static final int CLASSES = 10;
    static final double RATE = 1e-3;

    /**
     * What peers need with more threads than one. A training step calls several libraries by turns: who waits for work in one
     * would keep the next from its core.
     */
    public static final Map<String, String> ENVIRONMENT =
            Map.of("OMP_WAIT_POLICY", "passive", "OPENBLAS_THREAD_TIMEOUT", "4");

    @Param({"mlp", "lenet", "resnet20"})
    public String model;

    @Param({"32", "128"})
    public int batch;

    /**
     * {@code scalar} is Quern's plain Java loops, without the Vector API; {@code quern-cuda} and {@code quern-cuda-sim} are
     * for GpuBench.
     */
    @Param({"quern", "libtorch", "dl4j"})
    public String impl;

    @Override
    protected Contest contest() {
        String what = "training step of " + model + " batch " + batch;
        if (threads > 1 && !System.getenv().entrySet().containsAll(ENVIRONMENT.entrySet())) {
            System.err.println(what + ": peers with " + threads + " threads are below their best without " + ENVIRONMENT
                    + " in the environment, which suites/training-2-threads.txt sets");
        }
        Contest contest = new Contest(what, threads).tolerance(1e-4);
        Shape image = image(model);
        Tensor inputs = contest.own(Rng.of(1).fillNormal(Tensor.allocate(DType.F32, image.prepend(batch)), 0, 1));
        Tensor labels = contest.own(Tensor.allocate(DType.I32, Shape.of(batch)));
        for (int i = 0; i < batch; i++) {
            labels.set(i, i % CLASSES);
        }
        Tensor loss = contest.empty(Shape.of());
        return contest.compared(loss)
                .add("quern", Library.NONE, () -> new QuernStep("vector", model, inputs, labels, threads, loss))
                .add("scalar", Library.NONE, () -> new QuernStep("scalar", model, inputs, labels, threads, loss))
                .add("quern-cuda", Library.NONE, () -> new QuernStep("cuda", model, inputs, labels, threads, loss))
                .add(
                        "quern-cuda-sim",
                        Library.NONE,
                        () -> new QuernStep("cuda-sim", model, inputs, labels, threads, loss))
                .add("libtorch", Library.LIBTORCH, () -> {
                    try (Network network = Network.build(Models.named(model, CLASSES), image, Rng.of(1))) {
                        return new TrainStepLibtorch(model, network, inputs, labels, RATE, loss);
                    }
                })
                .add("dl4j", Library.DL4J, () -> {
                    try (Network network = Network.build(Models.named(model, CLASSES), image, Rng.of(1))) {
                        return dl4j(network, inputs, labels, loss);
                    }
                });
    }

    private Contender dl4j(Network network, Tensor inputs, Tensor labels, Tensor loss) {
        try {
            return (Contender) Class.forName("io.quern.bench.dl4j.TrainStepDl4j")
                    .getConstructors()[0]
                    .newInstance(model, network, inputs, labels, RATE, threads, loss);
        } catch (ReflectiveOperationException e) {
            throw new Unavailable("dl4j: " + e.getCause(), e);
        }
    }

    static Shape image(String model) {
        return model.equals("resnet20") ? Shape.of(32, 32, 3) : Shape.of(28, 28, 1);
    }

    /** Operations of the products and convolutions; bytes are not counted. */
    public static Cost cost(Map<String, String> row) {
        return new Cost(StepFlops.perSample(row.get("model")) * Integer.parseInt(row.get("batch")), 0);
    }
}
