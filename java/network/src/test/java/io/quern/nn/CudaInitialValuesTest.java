package io.quern.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.testing.Simulator;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A network on a device starts from the bits of one in host memory: its values are drawn on the host and copied once. */
class CudaInitialValuesTest {
    private Simulator simulator;

    @BeforeEach
    void reset() {
        simulator = Simulator.require();
    }

    @AfterEach
    void nothingIsLeft() {
        if (simulator != null) {
            assertEquals(0, simulator.reports(), "the simulator reports misuse");
            assertEquals(0, simulator.outstandingBytes(), "device bytes leaked");
            simulator.reset();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "flatten dense(33) relu dense(17) tanh dense(5)",
                "conv(7,3) batchnorm silu depthwise(3) layernorm flatten dense(4)"
            })
    void everyTensorHasTheBitsOfTheHost(String model) {
        Shape image = Shape.of(6, 5, 3);
        for (long seed : new long[] {0, 1, 0xFEDCBA9876543210L}) {
            try (Backend backend = Backends.of("cuda-sim", 1);
                    Network host =
                            Network.build(ModelParser.parse(model), image, Rng.of(seed), DType.F32, Memory.host())) {
                long launches = simulator.calls("cuLaunchKernelEx");
                long copies = simulator.calls("cuMemcpyHtoDAsync");
                try (Network device =
                        Network.build(ModelParser.parse(model), image, Rng.of(seed), DType.F32, backend.memory())) {
                    Map<String, Tensor> expected = host.tensors();
                    assertEquals(expected.keySet(), device.tensors().keySet());
                    device.tensors()
                            .forEach((name, tensor) -> assertArrayEquals(
                                    bits(expected.get(name)), bits(tensor), name + " of seed " + seed));
                    assertEquals(0, simulator.calls("cuLaunchKernelEx") - launches, "nothing is drawn on the device");
                    assertEquals(expected.size(), simulator.calls("cuMemcpyHtoDAsync") - copies, "one copy per tensor");
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Initializer.class)
    void everyInitializerHasTheBitsOfTheHost(Initializer initializer) {
        Rng rng = Rng.of(11).stream(3);
        Parameter onHost = new Parameter("w", Shape.of(37, 19), Parameter.Role.WEIGHT, initializer, 37, 19);
        Parameter onDevice = new Parameter("w", Shape.of(37, 19), Parameter.Role.WEIGHT, initializer, 37, 19);
        try (Backend backend = Backends.of("cuda-sim", 1);
                Tensor host = Tensor.allocate(DType.F32, Shape.of(37, 19));
                Tensor device = Tensor.allocate(backend.memory(), DType.F32, Shape.of(37, 19))) {
            onHost.bind(host, rng);
            onDevice.bind(device, rng);
            assertArrayEquals(bits(host), bits(device));
        }
    }

    /** Guards the tests above: were the values constant, they would prove nothing. */
    @Test
    void valuesDifferFromSeedToSeed() {
        Shape image = Shape.of(6);
        try (Network one = Network.build(ModelParser.parse("dense(9)"), image, Rng.of(1));
                Network two = Network.build(ModelParser.parse("dense(9)"), image, Rng.of(2))) {
            String name = one.parameters().getFirst().name();
            assertTrue(one.parameter(name).value().toFloats()[0]
                    != two.parameter(name).value().toFloats()[0]);
        }
    }

    private static int[] bits(Tensor tensor) {
        float[] values = tensor.toFloats();
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(values[i]);
        }
        return bits;
    }
}
