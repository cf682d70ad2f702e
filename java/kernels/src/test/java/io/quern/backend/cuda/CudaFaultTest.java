package io.quern.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.backend.CudaException;
import io.quern.backend.DeviceLostException;
import io.quern.backend.DeviceMemoryException;
import io.quern.backend.DeviceUnavailableException;
import io.quern.op.Add;
import io.quern.tensor.DType;
import io.quern.tensor.QuernException;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import io.quern.testing.Simulator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Every class of error: the simulator brings them about, or plays a machine that has them. */
@Tag("cuda-sim")
class CudaFaultTest {
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
            assertEquals(0, simulator.pinnedBytes(), "pinned bytes leaked");
            assertEquals(0, simulator.outstandingHandles(), "driver handles leaked");
            simulator.reset();
        }
    }

    private static Backend open() {
        return Backends.of("cuda-sim", 1);
    }

    private static String message(
            Class<? extends QuernException> type, org.junit.jupiter.api.function.Executable call) {
        return assertThrows(type, call).getMessage();
    }

    @Test
    void anOldDriverIsNamedWithTheRemedy() {
        simulator.setDriverVersion(12_080);
        String message = message(DeviceUnavailableException.class, CudaFaultTest::open);
        assertTrue(message.contains("knows CUDA 12.8, the kernels need 13.0; install or update"), message);
        assertTrue(message.contains("r580"), message);
    }

    @Test
    void noDeviceIsNamedWithTheRemedy() {
        simulator.setDevices(0);
        String message = message(DeviceUnavailableException.class, CudaFaultTest::open);
        assertTrue(message.startsWith("backend cuda-sim is not available"), message);
        assertTrue(message.contains("CUDA_VISIBLE_DEVICES"), message);
        assertFalse(Backends.probe().getLast().available());
    }

    @Test
    void aDeviceWithoutBinaryIsNamedWithTheRemedy() {
        simulator.fail("cuLibraryLoadData:1=CUDA_ERROR_NO_BINARY_FOR_GPU");
        String message = message(DeviceUnavailableException.class, CudaFaultTest::open);
        assertTrue(message.contains("CUDA_ERROR_NO_BINARY_FOR_GPU (209)"), message);
        assertTrue(message.contains("built for other GPUs"), message);
    }

    @Test
    void aDeviceOlderThanTheKernelsIsNoBackend() {
        simulator.setCapability(7, 5);
        String message = message(DeviceUnavailableException.class, CudaFaultTest::open);
        assertTrue(message.contains("(sm_75) is older than the GPUs that the kernels are for"), message);
        assertTrue(message.endsWith("--backend auto runs without a GPU"), message);
        assertEquals(
                message,
                "backend cuda-sim is not available: "
                        + CudaPlatform.SIMULATOR.obstacle().orElseThrow());
        assertFalse(Backends.probe().getLast().available());
    }

    @Test
    void memoryIsTriedAgainAfterTheCachesWereFreed() {
        try (Backend backend = open()) {
            simulator.fail("cuMemAllocFromPoolAsync:1=CUDA_ERROR_OUT_OF_MEMORY");
            Tensor.allocate(backend.memory(), DType.F32, Shape.of(100)).close();
            assertEquals(0, simulator.pendingFaults());
        }
    }

    @Test
    void outOfMemorySaysWhoHoldsIt() {
        simulator.setMemory(64L << 20);
        try (Backend backend = open();
                Workspace workspace = new Workspace(backend.memory())) {
            workspace.allocate(DType.F32, Shape.of(10 << 20));
            String message =
                    message(DeviceMemoryException.class, () -> workspace.allocate(DType.F32, Shape.of(10 << 20)));
            assertTrue(message.startsWith("out of device memory: 40.0 MiB requested"), message);
            assertTrue(message.contains("free of 64.0 MiB"), message);
            assertTrue(message.contains("Workspace 40.0 MiB"), message);
            assertTrue(message.contains("CUDA_ERROR_OUT_OF_MEMORY (2)"), message);
            Tensor.allocate(backend.memory(), DType.F32, Shape.of(100)).close();
        }
    }

    @Test
    void aStickyErrorLosesTheDeviceAndNamesTheLaunch() {
        try (Backend backend = open();
                Tensor x = Tensor.allocate(backend.memory(), DType.F32, Shape.of(1000))) {
            simulator.fail("cuStreamSynchronize:1=CUDA_ERROR_ILLEGAL_ADDRESS");
            backend.run(Add.OP, new Add.Args(x, x, x));
            DeviceLostException first = assertThrows(DeviceLostException.class, x::toFloats);
            assertEquals(700, first.code());
            assertTrue(first.getMessage().contains("CUDA_ERROR_ILLEGAL_ADDRESS (700)"), first.getMessage());
            assertTrue(first.getMessage().contains("in Add (add_f32, grid 1x1x1, block 256)"), first.getMessage());
            assertTrue(((CudaBackend) backend).isLost());
            String later = message(DeviceLostException.class, () -> backend.run(Add.OP, new Add.Args(x, x, x)));
            assertTrue(later.startsWith("the device is lost since: "), later);
        } finally {
            simulator.reset(); // a lost context takes its memory with it
        }
    }

    @Test
    void aRefusedLaunchNamesTheOpAndLeavesTheDeviceUsable() {
        try (Backend backend = open();
                Tensor x = Tensor.allocate(backend.memory(), DType.F32, Shape.of(8))) {
            simulator.fail("cuLaunchKernelEx:1=CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES");
            CudaException refused = assertThrows(CudaException.class, () -> backend.run(Add.OP, new Add.Args(x, x, x)));
            assertTrue(refused.getMessage().contains("(701)"), refused.getMessage());
            assertTrue(refused.getMessage().contains("for Add"), refused.getMessage());
            backend.run(Add.OP, new Add.Args(x, x, x));
            assertInstanceOf(float[].class, x.toFloats());
        }
    }
}
