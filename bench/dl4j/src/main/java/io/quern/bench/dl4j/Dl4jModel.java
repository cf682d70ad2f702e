package io.quern.bench.dl4j;

import io.quern.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** Quern's ready-made models as graphs of Deeplearning4j, with the names of the parameters in Quern's order. */
final class Dl4jModel {
    private final ComputationGraphConfiguration.GraphBuilder graph;
    private final Map<String, Integer> parameters = new LinkedHashMap<>();
    private final ComputationGraphConfiguration configuration;
    private int layers;

    /** @param samples (N, H, W, C) */
    Dl4jModel(String model, double rate, Tensor samples, int classes) {
        graph = new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Nesterovs(rate, 0.9))
                .graphBuilder()
                .addInputs("x");
        int pixels = samples.dim(1) * samples.dim(2) * samples.dim(3);
        graph.setInputTypes(
                model.equals("mlp")
                        ? InputType.feedForward(pixels)
                        : InputType.convolutional(samples.size(1), samples.size(2), samples.size(3)));
        String last = switch (model) {
            case "mlp" -> dense(dense("x", 256, 1), 128, 1);
            case "lenet" -> {
                String first = pool(convolution("x", 6, 5, 1, 2, true, Activation.RELU));
                String second = pool(convolution(first, 16, 5, 1, 0, true, Activation.RELU));
                yield dense(dense(second, 120, 16), 84, 1);
            }
            case "resnet20" -> resnet20();
            default -> throw new IllegalArgumentException("model is " + model);
        };
        String output = add(
                new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                        .nOut(classes)
                        .activation(Activation.SOFTMAX)
                        .build(),
                last);
        parameters.put(output + "_W", 1);
        parameters.put(output + "_b", 1);
        configuration = graph.setOutputs(output).build();
    }

    ComputationGraphConfiguration configuration() {
        return configuration;
    }

    /** Name, and for the weights of a dense layer behind an image its channels, else 1. */
    Map<String, Integer> parameters() {
        return parameters;
    }

    private String resnet20() {
        String x = relu(normalized("x", 16, 3, 1));
        int channels = 16;
        for (int width : new int[] {16, 32, 64}) {
            for (int block = 0; block < 3; block++) {
                int stride = width == channels ? 1 : 2;
                String body = normalized(relu(normalized(x, width, 3, stride)), width, 3, 1);
                String side = width == channels ? x : normalized(x, width, 1, stride);
                String sum = "v" + layers++;
                graph.addVertex(sum, new ElementWiseVertex(ElementWiseVertex.Op.Add), body, side);
                x = relu(sum);
                channels = width;
            }
        }
        return add(new GlobalPoolingLayer.Builder(PoolingType.AVG).build(), x);
    }

    private String normalized(String input, int filters, int kernel, int stride) {
        String convolved = convolution(input, filters, kernel, stride, kernel / 2, false, Activation.IDENTITY);
        String name = add(new BatchNormalization.Builder().eps(1e-5).decay(0.9).build(), convolved);
        parameters.put(name + "_gamma", 1);
        parameters.put(name + "_beta", 1);
        return name;
    }

    private String convolution(
            String input, int filters, int kernel, int stride, int padding, boolean bias, Activation activation) {
        String name = add(
                new ConvolutionLayer.Builder(kernel, kernel)
                        .nOut(filters)
                        .stride(stride, stride)
                        .padding(padding, padding)
                        .hasBias(bias)
                        .activation(activation)
                        .build(),
                input);
        parameters.put(name + "_W", 1);
        if (bias) {
            parameters.put(name + "_b", 1);
        }
        return name;
    }

    private String dense(String input, int units, int channels) {
        String name = add(
                new DenseLayer.Builder().nOut(units).activation(Activation.RELU).build(), input);
        parameters.put(name + "_W", channels);
        parameters.put(name + "_b", 1);
        return name;
    }

    private String pool(String input) {
        return add(
                new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
                        .kernelSize(2, 2)
                        .stride(2, 2)
                        .build(),
                input);
    }

    private String relu(String input) {
        return add(new ActivationLayer.Builder().activation(Activation.RELU).build(), input);
    }

    private String add(Layer layer, String input) {
        String name = "l" + layers++;
        graph.addLayer(name, layer, input);
        return name;
    }
}
