package io.quern.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.op.Tape;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import java.util.List;
import org.junit.jupiter.api.Test;

class PackingsTest {
    private static float[] forward(Backend backend, Network network, Tensor x, Packings packings) {
        try (Workspace workspace = new Workspace(Memory.host())) {
            return network.forward(Pass.inference(new Tape(backend, workspace), packings), x)
                    .toFloats();
        }
    }

    @Test
    void passesWithPackedWeightsHaveTheResultsOfPassesWithout() {
        for (String name : List.of("reference", "vector")) {
            long blocks = Memory.host().liveBlocks();
            try (Backend backend = Backends.of(name, 1);
                    Network network =
                            Network.build(ModelParser.parse("dense(70) relu dense(9)"), Shape.of(40), Rng.of(1));
                    Tensor x = Rng.of(2).fillUniform(Tensor.allocate(DType.F32, Shape.of(6, 40)), -1, 1)) {
                for (int round = 0; round < 2; round++) {
                    float[] plain = forward(backend, network, x, null);
                    try (Packings packings = new Packings()) {
                        for (int pass = 0; pass < 3; pass++) {
                            assertArrayEquals(
                                    plain,
                                    forward(backend, network, x, packings),
                                    1e-5f,
                                    name + ", round " + round + ", pass " + pass);
                        }
                    }
                    // as a training step would between two evaluations
                    Rng.of(3).fillUniform(network.parameter("dense1.weight").value(), -1, 1);
                }
            }
            assertEquals(blocks, Memory.host().liveBlocks(), "memory of the packings");
        }
    }
}
