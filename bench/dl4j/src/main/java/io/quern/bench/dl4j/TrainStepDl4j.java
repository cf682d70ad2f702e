package io.quern.bench.dl4j;

import io.quern.bench.Contender;
import io.quern.nn.Network;
import io.quern.nn.Parameter;
import io.quern.tensor.Tensor;
import java.util.Iterator;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A training step of Deeplearning4j from the same weights, in its default layout, NCHW; NHWC takes as long
 * (bench/lab/training-step.md, also on why its layers have no oneDNN in 1.0.0-M2.1).
 */
public final class TrainStepDl4j implements Contender {
    private final ComputationGraph graph;
    private final INDArray[] inputs;
    private final INDArray[] targets;
    private final Tensor loss;

    /** @param loss receives the loss of the third step, which two updates precede */
    public TrainStepDl4j(
            String model, Network network, Tensor samples, Tensor labels, double rate, int threads, Tensor loss) {
        Nd4j.getEnvironment().setMaxThreads(threads);
        Nd4j.getEnvironment().setMaxMasterThreads(threads);
        Nd4j.getMemoryManager().togglePeriodicGc(false);
        this.loss = loss;
        Dl4jModel built =
                new Dl4jModel(model, rate, samples, network.outputShape().dim(0));
        graph = new ComputationGraph(built.configuration());
        graph.init();
        Iterator<Parameter> parameters = network.parameters().iterator();
        for (Map.Entry<String, Integer> target : built.parameters().entrySet()) {
            copy(parameters.next().value(), graph.getParam(target.getKey()), target.getValue());
        }
        if (parameters.hasNext()) {
            throw new IllegalStateException(model + " has more parameters than Deeplearning4j's");
        }
        int batch = samples.dim(0);
        INDArray images = Nd4j.createFromArray(samples.toFloats());
        inputs = new INDArray[] {
            model.equals("mlp")
                    ? images.reshape('c', batch, samples.elements() / batch)
                    : images.reshape('c', batch, samples.size(1), samples.size(2), samples.size(3))
                            .permute(0, 3, 1, 2)
                            .dup('c')
        };
        INDArray classes = Nd4j.zeros(batch, network.outputShape().dim(0));
        for (int i = 0; i < batch; i++) {
            classes.putScalar(i, (long) labels.get(i), 1);
        }
        targets = new INDArray[] {classes};
    }

    /**
     * Filters (R, S, C, K) become (K, C, R, S). The rows of a dense layer behind an image of {@code channels} follow
     * Deeplearning4j's order, channels first.
     */
    private static void copy(Tensor from, INDArray to, int channels) {
        INDArray values = Nd4j.createFromArray(from.toFloats());
        if (from.rank() == 4) {
            to.assign(values.reshape('c', from.size(0), from.size(1), from.size(2), from.size(3))
                    .permute(3, 2, 0, 1));
        } else if (from.rank() == 2 && channels > 1) {
            long pixels = from.size(0) / channels;
            to.assign(values.reshape('c', pixels, channels, from.size(1))
                    .permute(1, 0, 2)
                    .dup('c')
                    .reshape('c', from.size(0), from.size(1)));
        } else {
            to.assign(values.reshape('c', to.shape()));
        }
    }

    @Override
    public void run() {
        graph.fit(inputs, targets);
    }

    @Override
    public void publish() {
        run();
        run();
        loss.set(0, graph.score());
    }

    @Override
    public void close() {
        graph.close();
    }
}
