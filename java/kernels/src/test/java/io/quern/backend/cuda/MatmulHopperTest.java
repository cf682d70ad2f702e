package io.quern.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.op.Matmul;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.testing.OnEveryCudaDevice;
import io.quern.testing.Simulator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Which BF16 products a Hopper takes by its copy engine; numbers are whole, so that results are exact either way. */
class MatmulHopperTest extends OnEveryCudaDevice {
    private static final String SWITCH = "quern.cuda.hopper";

    @AfterEach
    void clear() {
        System.clearProperty(SWITCH);
    }

    /** True when the product ran by the kernels for Hopper alone. */
    private boolean copiesTiles(int m, int n, int k, int shift) {
        try (CudaBackend backend = device.open();
                Tensor a = numbers(backend, m, k, shift);
                Tensor b = numbers(backend, k, n, 0);
                Tensor c = Tensor.allocate(backend.memory(), DType.F32, Shape.of(m, n))) {
            backend.synchronize();
            backend.run(Matmul.OP, new Matmul.Args(window(a, m, k, shift), window(b, k, n, 0), c, false, false));
            String launches = backend.launches();
            float[] expected = new float[m * n];
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    for (int p = 0; p < k; p++) {
                        expected[i * n + j] += number(i * k + p) * number(p * n + j);
                    }
                }
            }
            assertArrayEquals(expected, c.toFloats());
            assertTrue(launches.contains("matmul_nn_bf16"), launches);
            return launches.contains("block " + MatmulHopper.BLOCK);
        }
    }

    private static float number(int i) {
        return i * 7 % 13 - 6;
    }

    private static Tensor numbers(Backend backend, int rows, int columns, int shift) {
        float[] values = new float[rows * columns + shift];
        for (int i = 0; i < rows * columns; i++) {
            values[i + shift] = number(i);
        }
        try (Tensor host = Tensor.allocate(DType.BF16, Shape.of(values.length)).copyFrom(values)) {
            return host.copyTo(backend.memory());
        }
    }

    private static Tensor window(Tensor all, int rows, int columns, int shift) {
        return all.slice(0, shift, shift + (long) rows * columns).reshape(Shape.of(rows, columns));
    }

    @Test
    void takesWhatFitsTheCopyEngine() {
        try (CudaBackend backend = device.open()) {
            Assumptions.assumeTrue(backend.isHopper(), "no Hopper but " + backend.description());
        }
        assertTrue(copiesTiles(128, 128, 64, 0), "whole tiles");
        assertTrue(copiesTiles(70, 72, 200, 0), "edges");
        assertTrue(!copiesTiles(72, 71, 64, 0), "rows of b of 142 bytes");
        assertTrue(!copiesTiles(72, 72, 64, 1), "an address of no multiple of 16");
        assertTrue(!copiesTiles(32, 128, 128, 0), "less than half of a tile");
    }

    @Test
    void theSwitchLeavesThemToTheInstructionsOfEveryGpu() {
        System.setProperty(SWITCH, "false");
        assertTrue(!copiesTiles(128, 128, 64, 0));
        try (CudaBackend backend = device.open()) {
            assertTrue(!backend.isHopper());
        }
    }

    @Test
    void otherChipsHaveNoSuchModule() {
        Simulator simulator = device.simulator().orElse(null);
        Assumptions.assumeTrue(simulator != null, "only the simulator can be another chip");
        for (int[] capability : new int[][] {{8, 0}, {8, 9}, {10, 0}, {12, 0}}) {
            simulator.reset();
            simulator.setCapability(capability[0], capability[1]);
            assertTrue(!copiesTiles(128, 128, 64, 0), "compute capability " + capability[0] + "." + capability[1]);
        }
    }
}
