package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Rng;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Numbers of rows that tiles and blocks divide or do not, all depths at their ends, against one fused chain per element. */
class PointwiseStreamTest {
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT;

    @Test
    void equalsOneChainPerElement() {
        Assumptions.assumeTrue(
                ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
                "the module jdk.incubator.vector is not loaded in this JVM");
        Assumptions.assumeTrue(
                PointwiseStream.fits(1024, Lanes.FLOATS, 1),
                "the vectors of this JVM are not as long as a line of a cache");
        long least = StreamCode.least;
        try (WorkerPool pool = new WorkerPool(2)) {
            allRows(pool);
            StreamCode.least = 0; // results past the caches
            allRows(pool);
        } finally {
            StreamCode.least = least;
        }
    }

    private static void allRows(WorkerPool pool) {
        for (int m : new int[] {1024, 1025, 1039, 2047, 2048, 4095, 4096 + 17}) {
            for (int k : new int[] {1, 2, 3, 24, 128}) {
                check(m, k, pool);
            }
        }
        check(3 * 2048 + 1, 16, pool);
        check(3 * 2048 - 1, 128, pool);
    }

    private static void check(int m, int k, WorkerPool pool) {
        int n = Lanes.FLOATS;
        Rng rng = Rng.of(m * 1000L + k);
        try (Arena arena = Arena.ofConfined()) {
            Scratch scratch = new ThreadScratch();
            MemorySegment a = arena.allocate((long) m * k * Float.BYTES, Lanes.LINE);
            MemorySegment b = arena.allocate((long) n * k * Float.BYTES, Lanes.LINE);
            MemorySegment c = arena.allocate((long) m * n * Float.BYTES, Lanes.LINE);
            fill(a, rng);
            fill(b, rng.stream(1));
            c.fill((byte) -1);
            PointwiseStream.multiply(m, k, a.address(), b.address(), c.address(), null, scratch, pool);
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    float expected = 0;
                    for (int p = 0; p < k; p++) {
                        float x = a.getAtIndex(F, (long) i * k + p), w = b.getAtIndex(F, (long) p * n + j);
                        expected = Math.fma(x, w, expected);
                    }
                    float found = c.getAtIndex(F, (long) i * n + j);
                    if (Float.floatToRawIntBits(expected) != Float.floatToRawIntBits(found)) {
                        assertEquals(expected, found, "m " + m + ", k " + k + ": row " + i + ", column " + j);
                    }
                }
            }
        }
    }

    private static void fill(MemorySegment values, Rng rng) {
        for (long i = 0; i < values.byteSize() / Float.BYTES; i++) {
            values.setAtIndex(F, i, rng.uniform(i) - 0.5f);
        }
    }
}
