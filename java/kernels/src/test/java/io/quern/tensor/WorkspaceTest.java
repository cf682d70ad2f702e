package io.quern.tensor;

import static io.quern.tensor.ShapeTest.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WorkspaceTest {
    /** Counts what a workspace takes from the host. */
    private static final class CountingMemory implements Memory {
        private int allocations;

        @Override
        public String name() {
            return "counting";
        }

        @Override
        public Storage allocate(long bytes) {
            allocations++;
            return Memory.host().allocate(bytes);
        }

        @Override
        public long liveBytes() {
            return Memory.host().liveBytes();
        }

        @Override
        public long liveBlocks() {
            return Memory.host().liveBlocks();
        }

        @Override
        public void copyFromHost(long source, long target, long bytes) {
            Memory.host().copyFromHost(source, target, bytes);
        }

        @Override
        public void copyToHost(long source, long target, long bytes) {
            Memory.host().copyToHost(source, target, bytes);
        }

        @Override
        public void copyWithin(long source, long target, long bytes) {
            Memory.host().copyWithin(source, target, bytes);
        }
    }

    /** A step larger than the first block, with sizes that are no multiples of a line. */
    private static List<Long> step(Workspace workspace) {
        List<Long> addresses = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            addresses.add(workspace.allocate(DType.F32, Shape.of(100_001 + i)).address());
        }
        return addresses;
    }

    @Test
    void allocatesNothingInSteadyStateAndRepeatsAddresses() {
        CountingMemory memory = new CountingMemory();
        try (Workspace workspace = new Workspace(memory)) {
            step(workspace);
            assertTrue(memory.allocations > 1, "the first step needs several blocks");
            workspace.reset();
            int allocations = memory.allocations;
            List<Long> addresses = step(workspace);
            for (int i = 0; i < 5; i++) {
                workspace.reset();
                assertEquals(addresses, step(workspace));
            }
            assertEquals(allocations, memory.allocations);
        }
    }

    @Test
    void separatesItsTensorsAndAlignsThem() {
        try (Workspace workspace = new Workspace(Memory.host())) {
            List<Tensor> tensors = new ArrayList<>();
            for (long n : new long[] {0, 1, 15, 16, 17, 300_000, 3}) {
                Tensor tensor = workspace.allocate(DType.F32, Shape.of(n));
                assertEquals(0, tensor.address() % Memory.ALIGNMENT);
                tensors.forEach(earlier -> assertFalse(tensor.overlaps(earlier)));
                tensors.add(tensor);
            }
            assertEquals(
                    tensors.size(),
                    tensors.stream().map(Tensor::address).distinct().count());
        }
    }

    @Test
    void remembersTheHighWaterMark() {
        try (Workspace workspace = new Workspace(Memory.host())) {
            workspace.allocate(DType.F32, Shape.of(16));
            workspace.allocate(DType.F32, Shape.of(17));
            assertEquals(64 + 128, workspace.bytesInUse());
            workspace.reset();
            assertEquals(0, workspace.bytesInUse());
            assertEquals(64 + 128, workspace.highWaterMark());
            workspace.allocate(DType.I32, Shape.of(1));
            assertEquals(64, workspace.bytesInUse());
            assertEquals(64 + 128, workspace.highWaterMark());
            step(workspace);
            workspace.reset();
            assertEquals(workspace.highWaterMark(), workspace.bytesReserved());
        }
    }

    @Test
    void endsTheLifeOfItsTensorsAtReset() {
        try (Workspace workspace = new Workspace(Memory.host())) {
            Tensor tensor = workspace.allocate(DType.F32, Shape.of(4)).fill(1);
            Tensor view = tensor.reshape(2, 2);
            tensor.close();
            assertEquals(1, view.get(3), "closing a tensor of a workspace does nothing");
            workspace.reset();
            assertFalse(tensor.isOpen());
            String message =
                    assertThrows(ClosedException.class, tensor::address).getMessage();
            assertTrue(message.contains("after its workspace was reset"), message);
            assertThrows(ClosedException.class, () -> view.get(0));
            assertEquals(0, workspace.allocate(DType.F32, Shape.of(4)).fill(0).get(3), "new tensors live");
        }
    }

    @Test
    void refusesEverythingAfterClose() {
        Workspace workspace = new Workspace(Memory.host());
        Tensor tensor = workspace.allocate(DType.F32, Shape.of(4));
        workspace.close();
        workspace.close();
        String message = assertThrows(ClosedException.class, tensor::address).getMessage();
        assertTrue(message.contains("after its workspace was closed"), message);
        assertThrows(ClosedException.class, () -> workspace.allocate(DType.F32, Shape.of(4)));
    }

    @Test
    void returnsAllItTook() {
        long blocks = Memory.host().liveBlocks();
        long bytes = Memory.host().liveBytes();
        try (Workspace workspace = new Workspace(Memory.host())) {
            step(workspace);
            assertEquals(bytes + workspace.bytesReserved(), Memory.host().liveBytes());
            workspace.reset();
            assertEquals(blocks + 1, Memory.host().liveBlocks(), "one block after the first reset");
        }
        assertEquals(blocks, Memory.host().liveBlocks());
        assertEquals(bytes, Memory.host().liveBytes());
    }

    /** Rounding such a size up to whole lines would wrap around and hand out memory of others. */
    @Test
    void refusesSizesNearTheEndOfTheAddressRange() {
        try (Workspace workspace = new Workspace(Memory.host())) {
            workspace.allocate(DType.F32, Shape.of(100));
            assertRefused("exceeds the address range", () -> workspace.allocate(DType.F32, Shape.of((1L << 61) - 1)));
            assertRefused("exceeds the address range", () -> workspace.allocate(DType.F32, Shape.of((1L << 61) - 20)));
            assertEquals(448, workspace.bytesInUse());
        }
    }
}
