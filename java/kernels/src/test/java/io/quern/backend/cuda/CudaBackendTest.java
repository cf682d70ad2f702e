package io.quern.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.DeviceMemoryException;
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
import io.quern.testing.OnEveryCudaDevice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The backend: memory, transfers, what it refuses. CudaFaultTest has the errors of the driver. */
class CudaBackendTest extends OnEveryCudaDevice {
    private static String message(
            Class<? extends QuernException> type, org.junit.jupiter.api.function.Executable call) {
        return assertThrows(type, call).getMessage();
    }

    @Test
    void copiesThereAndBack() {
        try (CudaBackend backend = device.open();
                Tensor host = Rng.of(1).fillUniform(Tensor.allocate(DType.F32, Shape.of(3, 1_500_000)), -1, 1);
                Tensor there = host.copyTo(backend.memory());
                Tensor again = there.copyTo(backend.memory());
                Tensor labels = Tensor.allocate(backend.memory(), DType.I32, Shape.of(3))) {
            assertArrayEquals(host.toFloats(), again.toFloats(), "18 MB, more than the staging buffers hold");
            assertArrayEquals(
                    host.slice(0, 1, 2).toFloats(), there.slice(0, 1, 2).toFloats());
            assertArrayEquals(new int[] {0, 0, 0}, labels.toInts(), "new memory is zero");
            assertArrayEquals(
                    new int[] {4, 5, 6}, labels.copyFrom(new int[] {4, 5, 6}).toInts());
            assertEquals(5, labels.slice(0, 1, 2).item());
        }
    }

    @Test
    void singleElementsAreOutOfReach() {
        try (CudaBackend backend = device.open();
                Tensor there = Tensor.allocate(backend.memory(), DType.F32, Shape.of(2, 2))) {
            String expected = "not in host memory; copy it to the host first";
            assertTrue(message(ArgumentException.class, () -> there.get(0)).contains(expected));
            assertTrue(message(ArgumentException.class, () -> there.set(0, 1)).contains(expected));
            assertTrue(message(ArgumentException.class, () -> there.fill(1)).contains(expected));
            assertTrue(
                    message(ArgumentException.class, () -> there.permute(1, 0).toFloats())
                            .contains("not contiguous"));
        }
    }

    @Test
    void aTensorElsewhereIsRefusedByTheOpsName() {
        try (CudaBackend backend = device.open();
                Tensor host = Tensor.allocate(DType.F32, Shape.of(2))) {
            String message =
                    message(ArgumentException.class, () -> backend.run(Add.OP, new Add.Args(host, host, host)));
            assertTrue(message.startsWith("Add: F32[2] is in host memory, the " + device + " backend"), message);
        }
    }

    @Test
    void aMissingKernelIsAnErrorThatNamesTheOp() {
        try (CudaBackend backend = device.open();
                Tensor doubles = Tensor.allocate(backend.memory(), DType.F64, Shape.of(2))) {
            String message =
                    message(QuernException.class, () -> backend.run(Add.OP, new Add.Args(doubles, doubles, doubles)));
            assertTrue(message.startsWith("Add has no " + device + " kernel for [F64[2]]"), message);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anIndexOutsideItsTableIsAnErrorAtTheNextWait(boolean late) {
        device.setLate(late);
        try (CudaBackend backend = device.open();
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
                    message(ArgumentException.class, backend::synchronize));

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
        device.setLate(late);
        try (CudaBackend backend = device.open();
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
        try (CudaBackend backend = device.open();
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
        try (CudaBackend backend = device.open()) {
            tensor = Tensor.allocate(backend.memory(), DType.F32, Shape.of(2));
            tensor.close();
            tensor.close();
            assertTrue(message(ClosedException.class, tensor::toFloats).contains("was used after close"));
        }
        Backend closed = device.open();
        Memory memory = closed.memory();
        closed.close();
        closed.close();
        assertTrue(message(ClosedException.class, () -> memory.allocate(8)).contains("after its backend was closed"));
    }

    @Test
    void moreMemoryThanThereIsIsAnErrorThatSaysSo() {
        try (CudaBackend backend = device.open();
                Tensor held = Tensor.allocate(backend.memory(), DType.F32, Shape.of(10 << 18))) {
            String message = message(
                    DeviceMemoryException.class, () -> backend.memory().allocate(backend.memoryBytes() + (1L << 30)));
            assertTrue(message.startsWith("out of device memory: "), message);
            assertTrue(message.contains("; tensors hold 10.0 MiB, the most in CudaBackendTest 10.0 MiB"), message);
            assertTrue(message.contains("CUDA_ERROR_OUT_OF_MEMORY (2)"), message);
            assertEquals(10 << 18, held.elements());
            Tensor.allocate(backend.memory(), DType.F32, Shape.of(100)).close();
        }
    }
}
