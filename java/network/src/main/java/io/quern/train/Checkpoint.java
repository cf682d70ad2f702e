package io.quern.train;

import io.quern.data.FormatException;
import io.quern.nn.Network;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * A training at rest, in one safetensors file: parameters, state, the optimizer's memory, the best weights so far, and the
 * {@link TrainingPosition} with a SHA-256 of all that in the header's metadata. One file, replaced as a whole: weights
 * of one step never meet an optimizer of another.
 */
final class Checkpoint {
    private static final String FORMAT = "quern-checkpoint-1";

    private Checkpoint() {}

    private static Map<String, Tensor> tensors(Network network, OptimizerMemory memory, Snapshot best) {
        Map<String, Tensor> tensors = new TreeMap<>();
        network.tensors().forEach((name, tensor) -> tensors.put("network/" + name, tensor));
        memory.slots()
                .forEach((slot, block) ->
                        block.views().forEach((name, tensor) -> tensors.put("optimizer/" + slot + "/" + name, tensor)));
        if (best != null) {
            best.tensors().forEach((name, tensor) -> tensors.put("best/" + name, tensor));
        }
        return tensors;
    }

    /** @param best null when there are no best weights to keep */
    static void write(
            Path file, Network network, OptimizerMemory memory, Snapshot best, TrainingPosition position, long seed) {
        Map<String, Tensor> tensors = tensors(network, memory, best);
        Map<String, String> metadata = new TreeMap<>(position.toText());
        metadata.put("format", FORMAT);
        metadata.put("model", network.describe());
        metadata.put("input", network.inputShape().toString());
        metadata.put("seed", Long.toString(seed));
        metadata.put("best-kept", Boolean.toString(best != null));
        Safetensors.write(file, tensors, Safetensors.sealed(tensors, metadata));
    }

    /** True when the file is a complete checkpoint that holds what was saved. */
    static boolean isIntact(Path path) {
        try (Safetensors file = Safetensors.open(path)) {
            requireIntact(path, file);
            return true;
        } catch (FormatException e) {
            System.getLogger(Checkpoint.class.getName())
                    .log(System.Logger.Level.WARNING, "passing over a checkpoint: " + e.getMessage());
            return false;
        }
    }

    private static void requireIntact(Path path, Safetensors file) {
        if (!FORMAT.equals(file.metadata().get("format"))) {
            throw SafetensorsHeader.fail(path.toString(), "this is no checkpoint of a training", null);
        }
        file.requireIntact();
    }

    /** True when the file holds best weights as well. */
    static boolean keepsBest(Path path) {
        try (Safetensors file = Safetensors.open(path)) {
            return Boolean.parseBoolean(file.metadata().get("best-kept"));
        }
    }

    /**
     * Fills network, memory and best from a file, all or nothing.
     *
     * @param best null exactly when the file keeps none
     * @throws FormatException when the file is damaged, or of another model, optimizer or seed
     */
    static TrainingPosition read(Path path, Network network, OptimizerMemory memory, Snapshot best, long seed) {
        try (Safetensors file = Safetensors.open(path)) {
            requireIntact(path, file);
            require(path, file, "model", network.describe());
            require(path, file, "input", network.inputShape().toString());
            require(path, file, "seed", Long.toString(seed));
            TrainingPosition position = TrainingPosition.fromText(path.toString(), file.metadata());
            Map<String, Tensor> tensors = tensors(network, memory, best);
            if (!file.names().equals(tensors.keySet())) {
                throw SafetensorsHeader.fail(
                        path.toString(),
                        "it holds " + file.names().size() + " tensors where this model and optimizer have "
                                + tensors.size() + "; was it saved with another optimizer?",
                        null);
            }
            tensors.forEach((name, tensor) -> {
                Shape stored = file.shape(name);
                if (!stored.equals(tensor.shape()) || file.dtype(name) != tensor.dtype()) {
                    throw SafetensorsHeader.fail(
                            path.toString(),
                            "tensor '" + name + "' is " + file.dtype(name) + "[" + stored + "], expected " + tensor,
                            null);
                }
            });
            tensors.forEach(file::read);
            return position;
        }
    }

    private static void require(Path path, Safetensors file, String key, String expected) {
        String found = file.metadata().get(key);
        if (!expected.equals(found)) {
            throw new FormatException(
                    path.toString(),
                    "",
                    "it was saved with " + key + " '" + found + "', this training has '" + expected + "'",
                    "resume with the settings it was started with");
        }
    }
}
