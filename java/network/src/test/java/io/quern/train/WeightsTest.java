package io.quern.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.data.FormatException;
import io.quern.nn.ModelParser;
import io.quern.nn.Network;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightsTest {
    @TempDir
    private Path folder;

    private static Network network(String model, long seed) {
        return Network.build(ModelParser.parse(model), Shape.of(4, 4, 2), Rng.of(seed));
    }

    @Test
    void theFileRebuildsTheNetworkWithItsState() {
        Path path = folder.resolve("weights.safetensors");
        try (Network network = network("conv(3,3) batchnorm relu flatten dense(2)", 1)) {
            network.kept().values().fill(0.25);
            Weights.save(network, path);
            try (Network opened = Weights.open(path)) {
                assertEquals(network.describe(), opened.describe());
                assertEquals(network.inputShape(), opened.inputShape());
                network.tensors()
                        .forEach((name, tensor) -> assertArrayEquals(
                                tensor.toFloats(),
                                opened.parameter(name).value().toFloats(),
                                name));
            }
        }
    }

    @Test
    void anotherNetworksWeightsAreRefusedAndNothingChanges() {
        Path path = folder.resolve("weights.safetensors");
        try (Network wide = network("flatten dense(5)", 1);
                Network narrow = network("flatten dense(2)", 2);
                Network deep = network("flatten dense(2) dense(2)", 3)) {
            Weights.save(wide, path);
            float[] before = narrow.trained().values().toFloats();
            assertTrue(assertThrows(FormatException.class, () -> Weights.load(narrow, path))
                    .getMessage()
                    .contains("'dense1.weight' has shape 32x5, the network's has 32x2"));
            assertArrayEquals(before, narrow.trained().values().toFloats());
            assertTrue(assertThrows(FormatException.class, () -> Weights.load(deep, path))
                    .getMessage()
                    .contains("the network has"));
        }
    }

    @Test
    void aFileThatDoesNotNameItsModelCannotBeOpened() {
        Path path = folder.resolve("bare.safetensors");
        try (Tensor x = Tensor.of(Shape.of(1), 1)) {
            Safetensors.write(path, Map.of("x", x), Map.of());
            assertTrue(assertThrows(FormatException.class, () -> Weights.open(path))
                    .getMessage()
                    .contains("no model"));
            Safetensors.write(path, Map.of("x", x), Map.of("model", "dens(3)", "input", "4"));
            assertTrue(assertThrows(FormatException.class, () -> Weights.open(path))
                    .getMessage()
                    .contains("did you mean 'dense'?"));
        }
    }

    @Test
    void aChangedWeightIsFound() throws IOException {
        Path path = folder.resolve("weights.safetensors");
        try (Network network = network("flatten dense(2)", 1)) {
            Weights.save(network, path);
            byte[] bytes = Files.readAllBytes(path);
            bytes[bytes.length - 1] ^= 1;
            Files.write(path, bytes);
            assertTrue(assertThrows(FormatException.class, () -> Weights.load(network, path))
                    .getMessage()
                    .contains("the contents differ from what was saved"));
        }
    }

    @Test
    void tensorsOfAnotherToolAreTakenByName() {
        Path path = folder.resolve("foreign.safetensors");
        try (Network network = network("flatten dense(2)", 1);
                Network other = network("flatten dense(2)", 2)) {
            Safetensors.write(path, other.tensors(), Map.of("format", "pt"));
            Weights.load(network, path);
            assertArrayEquals(
                    other.trained().values().toFloats(),
                    network.trained().values().toFloats());
        }
    }
}
