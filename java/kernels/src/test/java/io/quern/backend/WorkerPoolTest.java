package io.quern.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.ClosedException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class WorkerPoolTest {
    @ParameterizedTest(name = "{0} threads")
    @ValueSource(ints = {1, 2, 3, 7})
    void runsEveryBlockExactlyOnce(int threads) {
        try (WorkerPool pool = new WorkerPool(threads)) {
            assertEquals(threads, pool.threads());
            for (int blocks : new int[] {0, 1, 2, 3, 6, 7, 8, 1000}) {
                for (int repeat = 0; repeat < 50; repeat++) {
                    assertEachOnce(pool, blocks);
                }
            }
        }
    }

    private static void assertEachOnce(WorkerPool pool, int blocks) {
        AtomicIntegerArray runs = new AtomicIntegerArray(blocks);
        pool.run(blocks, runs::incrementAndGet);
        for (int block = 0; block < blocks; block++) {
            assertEquals(1, runs.get(block), "runs of block " + block + " of " + blocks);
        }
    }

    @ParameterizedTest(name = "{0} threads")
    @ValueSource(ints = {1, 2, 3, 7})
    void callsForNeighbouringBlocksAreOfTheLengthAsked(int threads) {
        try (WorkerPool pool = new WorkerPool(threads)) {
            for (int blocks : new int[] {0, 1, 2, 7, 8, 1000}) {
                for (int most : new int[] {1, 5, 128, 2000}) {
                    AtomicIntegerArray runs = new AtomicIntegerArray(blocks);
                    pool.run(blocks, most, (from, to) -> {
                        assertTrue(from < to && to <= from + most, from + " to " + to + ", at most " + most);
                        for (int block = from; block < to; block++) {
                            runs.incrementAndGet(block);
                        }
                    });
                    for (int block = 0; block < blocks; block++) {
                        assertEquals(1, runs.get(block), "runs of block " + block + " of " + blocks + " by " + most);
                    }
                }
            }
        }
    }

    /** The caller's first block waits for the last one of its part, which the worker has to take. */
    @Test
    void othersTakeTheBlocksOfAThreadThatIsLate() {
        try (WorkerPool pool = new WorkerPool(2)) {
            CountDownLatch last = new CountDownLatch(1);
            AtomicInteger late = new AtomicInteger();
            pool.run(100, block -> {
                if (block == 0) {
                    awaitQuietly(last);
                    late.set((int) last.getCount());
                } else if (block == 49) {
                    last.countDown();
                }
            });
            assertEquals(0, late.get(), "block 49, of the part that begins with block 0, was run meanwhile");
        }
    }

    /** Each block waits for all others, so this ends only if the pool's threads all take part. */
    @ParameterizedTest(name = "{0} threads")
    @ValueSource(ints = {2, 3, 7})
    void usesAllItsThreads(int threads) {
        try (WorkerPool pool = new WorkerPool(threads)) {
            Set<Thread> seen = ConcurrentHashMap.newKeySet();
            CountDownLatch all = new CountDownLatch(threads);
            pool.run(threads, block -> {
                seen.add(Thread.currentThread());
                all.countDown();
                awaitQuietly(all);
            });
            assertEquals(threads, seen.size());
            assertTrue(seen.contains(Thread.currentThread()), "the caller works too");
        }
    }

    @Test
    void wakesParkedWorkers() throws InterruptedException {
        try (WorkerPool pool = new WorkerPool(3)) {
            for (int i = 0; i < 5; i++) {
                Thread.sleep(5);
                CountDownLatch all = new CountDownLatch(3);
                pool.run(3, block -> {
                    all.countDown();
                    awaitQuietly(all);
                });
                assertEquals(0, all.getCount());
            }
        }
    }

    /** What a block wrote without any synchronisation is there when run returns. */
    @Test
    void publishesTheBlocksWrites() {
        try (WorkerPool pool = new WorkerPool(3)) {
            int[] values = new int[5000];
            for (int round = 1; round <= 200; round++) {
                int now = round;
                pool.run(50, block -> {
                    for (int i = block * 100; i < block * 100 + 100; i++) {
                        values[i] += now;
                    }
                });
            }
            for (int value : values) {
                assertEquals(200 * 201 / 2, value);
            }
        }
    }

    @ParameterizedTest(name = "{0} threads")
    @ValueSource(ints = {1, 2, 3, 7})
    void passesExceptionsToTheCallerAndStaysUsable(int threads) {
        try (WorkerPool pool = new WorkerPool(threads)) {
            ArgumentException exception = new ArgumentException("block 5");
            AtomicInteger inside = new AtomicInteger();
            ArgumentException thrown = assertThrows(
                    ArgumentException.class,
                    () -> pool.run(100, block -> {
                        inside.incrementAndGet();
                        try {
                            if (block == 5) {
                                throw exception;
                            }
                        } finally {
                            inside.decrementAndGet();
                        }
                    }));
            assertSame(exception, thrown);
            assertEquals(0, inside.get(), "no block still runs when the exception arrives");
            assertThrows(
                    AssertionError.class,
                    () -> pool.run(2, block -> {
                        throw new AssertionError("errors as well");
                    }));
            assertEachOnce(pool, 100);
        }
    }

    @ParameterizedTest(name = "{0} threads")
    @ValueSource(ints = {1, 2, 3, 7})
    void passesExceptionsOfCallsForManyBlocks(int threads) {
        try (WorkerPool pool = new WorkerPool(threads)) {
            for (int repeat = 0; repeat < 100; repeat++) {
                ArgumentException thrown = assertThrows(
                        ArgumentException.class,
                        () -> pool.run(400, 9, (from, to) -> {
                            if (to > 30) {
                                throw new ArgumentException("block " + Math.max(30, from));
                            }
                        }));
                assertEquals("block 30", thrown.getMessage());
            }
            assertEquals(
                    "most is 0, expected 1 or more blocks a call",
                    assertThrows(ArgumentException.class, () -> pool.run(4, 0, (from, to) -> {}))
                            .getMessage());
        }
    }

    /** Bits must not depend on which thread was first, and neither may the message. */
    @ParameterizedTest(name = "{0} threads")
    @ValueSource(ints = {1, 2, 3, 7})
    void throwsTheFailureOfTheFirstBlockThatFails(int threads) {
        try (WorkerPool pool = new WorkerPool(threads)) {
            for (int repeat = 0; repeat < 100; repeat++) {
                ArgumentException thrown = assertThrows(
                        ArgumentException.class,
                        () -> pool.run(40, block -> {
                            if (block >= 3) {
                                throw new ArgumentException("block " + block);
                            }
                        }));
                assertEquals("block 3", thrown.getMessage());
            }
        }
    }

    @ParameterizedTest(name = "{0} threads")
    @ValueSource(ints = {1, 2, 3, 7})
    void mayBeUsedFromWithinABlock(int threads) {
        try (WorkerPool pool = new WorkerPool(threads)) {
            for (int repeat = 0; repeat < 20; repeat++) {
                AtomicIntegerArray runs = new AtomicIntegerArray(12 * 9);
                pool.run(12, outer -> pool.run(9, inner -> runs.incrementAndGet(outer * 9 + inner)));
                for (int i = 0; i < runs.length(); i++) {
                    assertEquals(1, runs.get(i), "runs of inner block " + i);
                }
            }
        }
    }

    @ParameterizedTest(name = "{0} threads")
    @ValueSource(ints = {1, 2, 3, 7})
    void endsItsThreadsAtCloseAndRefusesWork(int threads) throws InterruptedException {
        WorkerPool pool = new WorkerPool(threads);
        Set<Thread> seen = ConcurrentHashMap.newKeySet();
        CountDownLatch all = new CountDownLatch(threads);
        pool.run(threads, block -> {
            seen.add(Thread.currentThread());
            all.countDown();
            awaitQuietly(all);
        });
        pool.close();
        pool.close();
        seen.remove(Thread.currentThread());
        assertEquals(threads - 1, seen.size());
        for (Thread worker : seen) {
            worker.join(10_000);
            assertFalse(worker.isAlive(), worker + " is still alive");
        }
        assertThrows(ClosedException.class, () -> pool.run(1, block -> {}));
    }

    @Test
    void refusesAnAbsurdNumberOfThreads() {
        assertEquals(
                "threads is 0, expected 1..1024",
                assertThrows(ArgumentException.class, () -> new WorkerPool(0)).getMessage());
        assertThrows(ArgumentException.class, () -> new WorkerPool(1025));
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
