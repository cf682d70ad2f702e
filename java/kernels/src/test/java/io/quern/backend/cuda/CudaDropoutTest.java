package io.quern.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.op.ActivationKind;
import io.quern.op.Dropout;
import io.quern.op.DropoutMask;
import io.quern.op.Matmul;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.testing.OnEveryCudaDevice;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a device drops is what the host drops: every mask, of the op and of products that end with dropout. */
class CudaDropoutTest extends OnEveryCudaDevice {
    private static final double[] PROBABILITIES = {0, 0x1p-16, 0.1, 0.5, 0.9, 65535.0 / 65536};
    private static final Rng[] GENERATORS = {
        new Rng(0, 0, 0), new Rng(7, 3, 1), new Rng(0xFEDCBA9876543210L, -1, Integer.MAX_VALUE)
    };

    /** Lengths around a block of eight draws, one that a thread block does not cover, and a start within 16 bytes. */
    @ParameterizedTest
    @CsvSource({"F32, 1", "F32, 7", "F32, 8", "F32, 9", "F32, 255", "F32, 2049", "F32, 10007", "BF16, 9", "BF16, 10007"
    })
    void theOpHasTheBitsOfTheHost(DType dtype, int length) {
        try (Backend backend = device.open();
                Backend host = Backends.of("reference", 1);
                Tensor x = Rng.of(3).fillUniform(Tensor.allocate(dtype, Shape.of(length + 1)), 0.5, 1);
                Tensor y = Tensor.allocate(dtype, x.shape());
                Tensor there = x.copyTo(backend.memory());
                Tensor back = Tensor.allocate(backend.memory(), dtype, x.shape())) {
            for (double p : PROBABILITIES) {
                for (Rng rng : GENERATORS) {
                    DropoutMask mask = new DropoutMask(p, rng);
                    for (int start = 0; start < 2; start++) {
                        Tensor expected = window(y, start);
                        host.run(Dropout.OP, new Dropout.Args(window(x, start), expected, p, rng));
                        if (dtype == DType.BF16) { // whose product is a float before it is rounded
                            for (int i = 0; i < length; i++) {
                                float kept = (float) window(x, start).get(i) * mask.scale();
                                expected.set(i, mask.drops(i) ? 0 : kept);
                            }
                        }
                        backend.run(Dropout.OP, new Dropout.Args(window(there, start), window(back, start), p, rng));
                        assertArrayEquals(
                                expected.toFloats(), window(back, start).toFloats(), "p " + p + ", " + rng);
                    }
                }
            }
        }
    }

    private static Tensor window(Tensor all, int start) {
        return all.slice(0, start, start + all.elements() - 1);
    }

    /** The bias keeps every result from being zero by itself. */
    @ParameterizedTest
    @ValueSource(strings = {"5x3x9", "64x64x16", "70x131x40"})
    void aProductDropsWhatTheMaskDrops(String shape) {
        String[] extents = shape.split("x");
        int m = Integer.parseInt(extents[0]);
        int n = Integer.parseInt(extents[1]);
        int k = Integer.parseInt(extents[2]);
        try (Backend backend = device.open();
                Tensor a = Rng.of(1).fillUniform(Tensor.allocate(DType.F32, Shape.of(m, k)), -1, 1);
                Tensor b = Rng.of(2).fillUniform(Tensor.allocate(DType.F32, Shape.of(k, n)), -1, 1);
                Tensor bias = Tensor.allocate(DType.F32, Shape.of(n)).fill(2 * k);
                Tensor da = a.copyTo(backend.memory());
                Tensor db = b.copyTo(backend.memory());
                Tensor dbias = bias.copyTo(backend.memory());
                Tensor dc = Tensor.allocate(backend.memory(), DType.F32, Shape.of(m, n))) {
            for (double p : PROBABILITIES) {
                DropoutMask mask = new DropoutMask(p, GENERATORS[2]);
                backend.run(
                        Matmul.OP,
                        new Matmul.Args(da, db, dbias, dc, null, false, false, 1, 0, ActivationKind.RELU, mask));
                float[] values = dc.toFloats();
                for (int i = 0; i < values.length; i++) {
                    assertEquals(mask.drops(i), values[i] == 0, "element " + i + " of " + shape + ", p " + p);
                    assertTrue(values[i] == 0 || values[i] >= 0.9 * k * mask.scale(), "kept and scaled: " + values[i]);
                }
            }
        }
    }
}
