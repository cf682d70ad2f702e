package io.quern.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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
import io.quern.backend.reference.ReferenceBackend;
import io.quern.op.Add;
import io.quern.op.Dropout;
import io.quern.op.Embedding;
import io.quern.op.EmbeddingBackward;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.ClosedException;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.QuernException;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import io.quern.testing.Simulator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The backend on the simulated driver: memory, transfers, and every class of error. */
class CudaBackendTest {
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
    void copiesThereAndBack() {
        try (Backend backend = open();
                Tensor host = Rng.of(1).fillUniform(Tensor.allocate(DType.F32, Shape.of(3, 1_500_000)), -1, 1);
                Tensor device = host.copyTo(backend.memory());
                Tensor again = device.copyTo(backend.memory());
                Tensor labels = Tensor.allocate(backend.memory(), DType.I32, Shape.of(3))) {
            assertArrayEquals(host.toFloats(), again.toFloats(), "18 MB, more than the staging buffers hold");
            assertArrayEquals(
                    host.slice(0, 1, 2).toFloats(), device.slice(0, 1, 2).toFloats());
            assertArrayEquals(new int[] {0, 0, 0}, labels.toInts(), "new memory is zero");
            assertArrayEquals(
                    new int[] {4, 5, 6}, labels.copyFrom(new int[] {4, 5, 6}).toInts());
            assertEquals(5, labels.slice(0, 1, 2).item());
        }
    }

    @Test
    void singleElementsAreOutOfReach() {
        try (Backend backend = open();
                Tensor device = Tensor.allocate(backend.memory(), DType.F32, Shape.of(2, 2))) {
            String expected = "not in host memory; copy it to the host first";
            assertTrue(message(ArgumentException.class, () -> device.get(0)).contains(expected));
            assertTrue(message(ArgumentException.class, () -> device.set(0, 1)).contains(expected));
            assertTrue(message(ArgumentException.class, () -> device.fill(1)).contains(expected));
            assertTrue(
                    message(ArgumentException.class, () -> device.permute(1, 0).toFloats())
                            .contains("not contiguous"));
        }
    }

    @Test
    void aTensorElsewhereIsRefusedByTheOpsName() {
        try (Backend backend = open();
                Tensor host = Tensor.allocate(DType.F32, Shape.of(2))) {
            String message =
                    message(ArgumentException.class, () -> backend.run(Add.OP, new Add.Args(host, host, host)));
            assertTrue(message.startsWith("Add: F32[2] is in host memory, the cuda-sim backend"), message);
        }
    }

    @Test
    void aMissingKernelIsAnErrorThatNamesTheOp() {
        try (Backend backend = open();
                Tensor doubles = Tensor.allocate(backend.memory(), DType.F64, Shape.of(2))) {
            String message =
                    message(QuernException.class, () -> backend.run(Add.OP, new Add.Args(doubles, doubles, doubles)));
            assertTrue(message.startsWith("Add has no cuda-sim kernel for [F64[2]]"), message);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anIndexOutsideItsTableIsAnErrorAtTheNextWait(boolean late) {
        simulator.setLate(late);
        try (Backend backend = open();
                Workspace memory = new Workspace(backend.memory())) {
            Tensor table = memory.allocate(DType.F32, Shape.of(7, 5));
            Tensor indices = memory.allocate(DType.I32, Shape.of(2, 300));
            Tensor y = memory.allocate(DType.F32, Shape.of(2, 300, 5));
            int[] numbers = new int[600];
            numbers[599] = 7;
            numbers[411] = -3;
            indices.copyFrom(numbers);
            backend.run(Embedding.OP, new Embedding.Args(table, indices, y));
            assertEquals(
                    "Embedding: index -3 at position 411 is outside a table of 7 rows",
                    message(ArgumentException.class, y::toFloats));
            float[] values = y.toFloats();
            assertTrue(Float.isNaN(values[411 * 5]) && Float.isNaN(values[599 * 5 + 4]), "no row, no number");
            assertEquals(0, values[410 * 5], "said once; the device goes on");

            backend.run(EmbeddingBackward.OP, new EmbeddingBackward.Args(indices, y, table));
            assertEquals(
                    "EmbeddingBackward: index -3 at position 411 is outside a table of 7 rows",
                    message(ArgumentException.class, ((CudaBackend) backend)::synchronize));

            Tensor other = memory.allocate(DType.F32, Shape.of(9, 5));
            backend.run(EmbeddingBackward.OP, new EmbeddingBackward.Args(indices, y, table));
            backend.run(Embedding.OP, new Embedding.Args(other, indices, y));
            ArgumentException both = assertThrows(ArgumentException.class, table::toFloats);
            assertTrue(both.getMessage().startsWith("EmbeddingBackward: index -3"), both.getMessage());
            assertEquals(
                    "Embedding: index -3 at position 411 is outside a table of 9 rows",
                    both.getSuppressed()[0].getMessage());
            assertEquals(45, other.toFloats().length);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void dropoutHasTheBitsOfTheHost(boolean late) {
        simulator.setLate(late);
        try (Backend backend = open();
                Backend host = new ReferenceBackend(1);
                Tensor x = Rng.of(3).fillUniform(Tensor.allocate(DType.F32, Shape.of(10_007)), -1, 1);
                Tensor expected = Tensor.allocate(DType.F32, x.shape());
                Tensor onDevice = x.copyTo(backend.memory());
                Tensor y = Tensor.allocate(backend.memory(), DType.F32, x.shape())) {
            Rng rng = new Rng(0xFEDCBA9876543210L, 5, 77);
            host.run(Dropout.OP, new Dropout.Args(x, expected, 0.3, rng));
            backend.run(Dropout.OP, new Dropout.Args(onDevice, y, 0.3, rng));
            assertArrayEquals(expected.toFloats(), y.toFloats());
        }
    }

    @Test
    void aWorkspaceRepeatsItsAddressesOnTheDevice() {
        try (Backend backend = open();
                Workspace workspace = new Workspace(backend.memory())) {
            workspace.allocate(DType.F32, Shape.of(700_000));
            workspace.allocate(DType.F32, Shape.of(700_000));
            workspace.reset();
            long blocks = backend.memory().liveBlocks();
            long first = workspace.allocate(DType.F32, Shape.of(700_000)).address();
            workspace.reset();
            assertEquals(first, workspace.allocate(DType.F32, Shape.of(700_000)).address());
            assertEquals(blocks, backend.memory().liveBlocks());
        }
    }

    @Test
    void useAfterCloseIsAnError() {
        Tensor tensor;
        try (Backend backend = open()) {
            tensor = Tensor.allocate(backend.memory(), DType.F32, Shape.of(2));
            tensor.close();
            tensor.close();
            assertTrue(message(ClosedException.class, tensor::toFloats).contains("was used after close"));
        }
        Backend closed = open();
        Memory memory = closed.memory();
        closed.close();
        closed.close();
        assertTrue(message(ClosedException.class, () -> memory.allocate(8)).contains("after its backend was closed"));
    }

    @Test
    void anOldDriverIsNamedWithTheRemedy() {
        simulator.setDriverVersion(12_080);
        String message = message(DeviceUnavailableException.class, CudaBackendTest::open);
        assertTrue(message.contains("knows CUDA 12.8, the kernels need 13.0; install or update"), message);
        assertTrue(message.contains("r580"), message);
    }

    @Test
    void noDeviceIsNamedWithTheRemedy() {
        simulator.setDevices(0);
        String message = message(DeviceUnavailableException.class, CudaBackendTest::open);
        assertTrue(message.startsWith("backend cuda-sim is not available"), message);
        assertTrue(message.contains("CUDA_VISIBLE_DEVICES"), message);
        assertFalse(Backends.probe().getLast().available());
    }

    @Test
    void aDeviceWithoutBinaryIsNamedWithTheRemedy() {
        simulator.fail("cuLibraryLoadData:1=CUDA_ERROR_NO_BINARY_FOR_GPU");
        String message = message(DeviceUnavailableException.class, CudaBackendTest::open);
        assertTrue(message.contains("CUDA_ERROR_NO_BINARY_FOR_GPU (209)"), message);
        assertTrue(message.contains("built for other GPUs"), message);
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
