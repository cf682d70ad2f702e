package io.quern.train;

import io.quern.data.FormatException;
import io.quern.nn.ModelParser;
import io.quern.nn.Network;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/** A network's parameters and state as a safetensors file that also says which model they belong to. */
public final class Weights {
    private static final String MODEL = "model";
    private static final String INPUT = "input";

    private Weights() {}

    public static void save(Network network, Path path) {
        Map<String, String> metadata =
                Map.of(MODEL, network.describe(), INPUT, network.inputShape().toString());
        Safetensors.write(path, network.tensors(), Safetensors.sealed(network.tensors(), metadata));
    }

    /**
     * Replaces the weights of a network, all or none.
     *
     * @throws FormatException when the file is damaged or its tensors are not those of this network
     */
    public static void load(Network network, Path path) {
        try (Safetensors file = Safetensors.open(path)) {
            load(network, path, file);
        }
    }

    /**
     * Builds the network that a weights file describes; close it.
     *
     * @throws FormatException when the file is damaged or says nothing of its model
     */
    public static Network open(Path path) {
        try (Safetensors file = Safetensors.open(path)) {
            Network network = build(path, file.metadata());
            try {
                load(network, path, file);
                return network;
            } catch (RuntimeException e) {
                network.close();
                throw e;
            }
        }
    }

    private static Network build(Path path, Map<String, String> metadata) {
        String model = metadata.get(MODEL);
        String input = metadata.get(INPUT);
        if (model == null || input == null) {
            throw SafetensorsHeader.fail(path.toString(), "its metadata name no model and input", null);
        }
        try {
            long[] extents =
                    Arrays.stream(input.split("x")).mapToLong(Long::parseLong).toArray();
            return Network.build(ModelParser.parse(model), Shape.of(extents), Rng.of(0));
        } catch (ArgumentException | NumberFormatException e) {
            throw SafetensorsHeader.fail(path.toString(), "its model cannot be built: " + e.getMessage(), e);
        }
    }

    private static void load(Network network, Path path, Safetensors file) {
        if (file.metadata().containsKey(MODEL)) {
            // written by save; files of other tools carry no checksum
            file.requireIntact();
        }
        Map<String, Tensor> tensors = network.tensors();
        if (!file.names().equals(tensors.keySet())) {
            throw SafetensorsHeader.fail(
                    path.toString(), "it holds " + file.names() + ", the network has " + tensors.keySet(), null);
        }
        tensors.forEach((name, tensor) -> {
            if (!file.shape(name).equals(tensor.shape())) {
                throw SafetensorsHeader.fail(
                        path.toString(),
                        "tensor '" + name + "' has shape " + file.shape(name) + ", the network's has " + tensor.shape(),
                        null);
            }
        });
        tensors.forEach(file::read);
    }
}
