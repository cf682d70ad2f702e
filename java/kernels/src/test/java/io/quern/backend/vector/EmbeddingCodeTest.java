package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EmbeddingCodeTest {
    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(() -> EmbeddingCode.takes(Lanes.BYTES), "rows");
    }

    @Test
    void takesWholeLinesOnly() {
        assertTrue(EmbeddingCode.takes(192));
        assertFalse(EmbeddingCode.takes(196));
        assertFalse(EmbeddingCode.takes(0));
        assertFalse(EmbeddingCode.takes(1 << 20));
    }

    @Test
    void copiesRows() {
        SplittableRandom random = new SplittableRandom(3);
        for (int lines : new int[] {1, 2, 5, 40, 1024}) {
            for (int rows : new int[] {1, 2, 63, 64, 65, 130}) {
                int table = 1 + random.nextInt(20), from = random.nextInt(5);
                long bytes = (long) lines * Lanes.BYTES;
                int[] indices = random.ints(from + rows, 0, table).toArray();
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment memory = arena.allocate(table * bytes, 4),
                            y = arena.allocate(rows * bytes, Lanes.LINE);
                    for (long i = 0; i < memory.byteSize() / 4; i++) {
                        memory.setAtIndex(ValueLayout.JAVA_INT, i, random.nextInt());
                    }
                    EmbeddingCode.copy(
                            i -> memory.address() + bytes * indices[(int) i], from, from + rows, y.address(), bytes);
                    for (int i = 0; i < rows; i++) {
                        MemorySegment row = memory.asSlice(bytes * indices[from + i], bytes);
                        int at = i;
                        assertEquals(
                                -1,
                                row.mismatch(y.asSlice(i * bytes, bytes)),
                                () -> "%d lines, %d rows, row %d".formatted(lines, rows, at));
                    }
                }
            }
        }
    }
}
