package io.quern.backend.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.Memory;
import io.quern.tensor.Storage;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(OS.LINUX)
class HugePagesTest {
    @Test
    void givesAlignedZeroedMemoryOfAnySize() {
        for (long bytes : new long[] {1, 4096, HugePages.SIZE, HugePages.SIZE + 1, 3 * HugePages.SIZE - 64}) {
            long address = HugePages.map(bytes);
            assertNotEquals(0, address, "no memory for " + bytes + " bytes");
            assertEquals(0, address % HugePages.SIZE);
            MemorySegment all = NativeMemory.ALL.asSlice(address, bytes);
            for (long at : new long[] {0, bytes / 2, bytes - 1}) {
                assertEquals(0, all.get(ValueLayout.JAVA_BYTE, at), "byte " + at + " of " + bytes);
            }
            all.fill((byte) 7);
            assertEquals(7, all.get(ValueLayout.JAVA_BYTE, bytes - 1));
            HugePages.unmap(address, bytes);
        }
    }

    @Test
    void asksForHugePagesWhereTheyFitWhole() throws IOException {
        long bytes = 3 * HugePages.SIZE + 4096;
        long address = HugePages.map(bytes);
        try {
            assertTrue(advised(address), "the first page is not advised");
            assertTrue(advised(address + 3 * HugePages.SIZE - 1), "the last whole page is not advised");
            assertTrue(!advised(address + 3 * HugePages.SIZE), "the part of a page is advised");
        } finally {
            HugePages.unmap(address, bytes);
        }
    }

    /** The flag {@code hg} of the mapping that holds the address. */
    private static boolean advised(long address) throws IOException {
        List<String> lines = Files.readAllLines(Path.of("/proc/self/smaps"));
        boolean inside = false;
        for (String line : lines) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                String[] range = line.substring(0, line.indexOf(' ')).split("-");
                inside = Long.compareUnsigned(Long.parseUnsignedLong(range[0], 16), address) <= 0
                        && Long.compareUnsigned(address, Long.parseUnsignedLong(range[1], 16)) < 0;
            } else if (inside && line.startsWith("VmFlags:")) {
                return List.of(line.split(" ")).contains("hg");
            }
        }
        return false;
    }

    @Test
    void hasNoneOfImpossibleSizes() {
        assertEquals(0, HugePages.map(0));
        assertEquals(0, HugePages.map(1L << 60));
        assertEquals(0, HugePages.map(Long.MAX_VALUE));
    }

    @Test
    void servesLargeBlocksOfTheHost() {
        long blocks = Memory.host().liveBlocks();
        long bytes = Memory.host().liveBytes();
        try (Storage block = Memory.host().allocate(40L << 20)) {
            assertEquals(0, block.address() % HugePages.SIZE);
            assertEquals(bytes + (40L << 20), Memory.host().liveBytes());
            block.close();
        }
        assertEquals(blocks, Memory.host().liveBlocks());
        assertEquals(bytes, Memory.host().liveBytes());
    }
}
