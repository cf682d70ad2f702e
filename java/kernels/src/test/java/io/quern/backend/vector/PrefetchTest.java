package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Asking ends, changes nothing, and may name what is not there. */
class PrefetchTest {
    private static final long[] WIDTHS = {-64, 0, 1, 63, 64, 65, 1000};
    private static final int[] ROWS = {-1, 0, 1, 2, 7};

    @Test
    void changesNothing() {
        Assumptions.assumeTrue(
                ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
                "the module jdk.incubator.vector is not loaded in this JVM");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(64 << 10, Lanes.LINE);
            for (long i = 0; i < memory.byteSize(); i++) {
                memory.set(ValueLayout.JAVA_BYTE, i, (byte) (31 * i + (i >>> 8)));
            }
            for (long at : new long[] {memory.address() + 4, 0, -4096, Long.MAX_VALUE - 64}) {
                for (long width : WIDTHS) {
                    for (int rows : ROWS) {
                        for (long stride : new long[] {width, 0, 128, 4096, -4096}) {
                            Prefetch.forReading(at, width, rows, stride);
                            Prefetch.forWriting(at, width, rows, stride);
                        }
                    }
                }
            }
            for (long i = 0; i < memory.byteSize(); i++) {
                assertEquals((byte) (31 * i + (i >>> 8)), memory.get(ValueLayout.JAVA_BYTE, i), "byte " + i);
            }
        }
    }
}
