package io.quern.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.op.BatchNorm;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import io.quern.testing.OnEveryCudaDevice;
import io.quern.testing.Simulator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/**
 * Launches overlap on GPUs that can, unless switched off; the bits are the same. The simulator finds kernels that touch memory
 * before they wait, or end without having waited; OverlapSourcesTest those that it never runs.
 */
class OverlapCudaTest extends OnEveryCudaDevice {
    private static final String SWITCH = "quern.cuda.overlap";
    private static final int ROWS = 130;
    private static final int CHANNELS = 36;

    @AfterEach
    void clear() {
        System.clearProperty(SWITCH);
    }

    private float[] normalized() {
        try (CudaBackend backend = device.open();
                Workspace workspace = new Workspace(backend.memory());
                Tensor host = Rng.of(3).fillUniform(Tensor.allocate(DType.F32, Shape.of(ROWS, CHANNELS)), -1, 1)) {
            Tensor[] channels = new Tensor[6];
            for (int i = 0; i < channels.length; i++) {
                channels[i] = workspace.allocate(DType.F32, Shape.of(CHANNELS));
            }
            try (Tensor gamma = Rng.of(4).fillUniform(Tensor.allocate(DType.F32, Shape.of(CHANNELS)), -1, 1)) {
                channels[0].copyFrom(gamma);
            }
            Tensor x = workspace.allocate(DType.F32, host.shape());
            x.copyFrom(host);
            Tensor y = workspace.allocate(DType.F32, host.shape());
            backend.run(
                    BatchNorm.OP,
                    new BatchNorm.Args(
                            x,
                            channels[0],
                            channels[1],
                            channels[2],
                            channels[3],
                            y,
                            channels[4],
                            channels[5],
                            1e-5,
                            0.1));
            return y.toFloats();
        }
    }

    @Test
    void sameBitsOneAfterTheOther() {
        float[] overlapping = normalized();
        System.setProperty(SWITCH, "false");
        assertArrayEquals(overlapping, normalized());
    }

    @Test
    void onlyWhereTheKernelsCanWait() {
        Assumptions.assumeTrue(device.simulator().isPresent(), "a GPU does not tell which launches overlapped");
        Simulator simulator = device.simulator().orElseThrow();
        long before = simulator.overlappingKernelsRun();
        normalized();
        assertEquals(3, simulator.overlappingKernelsRun() - before, "sums, statistics, normalisation");
        System.setProperty(SWITCH, "false");
        normalized();
        assertEquals(3, simulator.overlappingKernelsRun() - before, "switched off");
        System.clearProperty(SWITCH);
        simulator.setCompiledFor(80);
        normalized();
        assertEquals(3, simulator.overlappingKernelsRun() - before, "compiled from the PTX of 8.0");
        simulator.setCompiledFor(0);
        simulator.setCapability(8, 6);
        normalized();
        assertEquals(3, simulator.overlappingKernelsRun() - before, "a GPU of compute capability 8.6");
    }
}
