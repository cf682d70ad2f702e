package io.quern.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.cuda.CudaBackend;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.testing.OnEveryCudaDevice;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A network on a device starts from the bits of one in host memory: its values are drawn on the host and copied once. */
class CudaInitialValuesTest extends OnEveryCudaDevice {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "flatten dense(33) relu dense(17) tanh dense(5)",
                "conv(7,3) batchnorm silu depthwise(3) layernorm flatten dense(4)"
            })
    void everyTensorHasTheBitsOfTheHost(String model) {
        Shape image = Shape.of(6, 5, 3);
        for (long seed : new long[] {0, 1, 0xFEDCBA9876543210L}) {
            try (CudaBackend backend = device.open();
                    Network host =
                            Network.build(ModelParser.parse(model), image, Rng.of(seed), DType.F32, Memory.host())) {
                long launches = backend.kernelLaunches();
                long copies = copies();
                try (Network there =
                        Network.build(ModelParser.parse(model), image, Rng.of(seed), DType.F32, backend.memory())) {
                    Map<String, Tensor> expected = host.tensors();
                    assertEquals(expected.keySet(), there.tensors().keySet());
                    there.tensors()
                            .forEach((name, tensor) -> assertArrayEquals(
                                    bits(expected.get(name)), bits(tensor), name + " of seed " + seed));
                    assertEquals(0, backend.kernelLaunches() - launches, "nothing is drawn on the device");
                    if (device.simulator().isPresent()) {
                        assertEquals(expected.size(), copies() - copies, "one copy per tensor");
                    }
                }
            }
        }
    }

    /** Copies to the device so far, which only the simulator counts. */
    private long copies() {
        return device.simulator()
                .map(simulator -> simulator.calls("cuMemcpyHtoDAsync"))
                .orElse(0L);
    }

    @ParameterizedTest
    @EnumSource(Initializer.class)
    void everyInitializerHasTheBitsOfTheHost(Initializer initializer) {
        Rng rng = Rng.of(11).stream(3);
        Parameter onHost = new Parameter("w", Shape.of(37, 19), Parameter.Role.WEIGHT, initializer, 37, 19);
        Parameter onDevice = new Parameter("w", Shape.of(37, 19), Parameter.Role.WEIGHT, initializer, 37, 19);
        try (Backend backend = device.open();
                Tensor host = Tensor.allocate(DType.F32, Shape.of(37, 19));
                Tensor there = Tensor.allocate(backend.memory(), DType.F32, Shape.of(37, 19))) {
            onHost.bind(host, rng);
            onDevice.bind(there, rng);
            assertArrayEquals(bits(host), bits(there));
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
