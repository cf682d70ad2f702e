package io.quern.backend;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.ClosedException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * Persistent workers that share the blocks of one job at a time; the caller works too.
 *
 * <p>A job is cut into fixed blocks, independent of the number of threads, so bits do not depend on it. Each thread begins
 * with {@link Parts a part} of neighbouring blocks and then takes from the others' parts: a core lost to the compiler or the
 * collector does not stall the job. Idle workers spin for a bounded time, then park. Used from one thread at a time, or from
 * within a block.
 */
public final class WorkerPool implements AutoCloseable {
    /** Long enough to bridge the gap between two kernels of a step, short enough not to steal a core. */
    private static final long SPIN_NANOS = 30_000;

    private static final long YIELD_AFTER_NANOS = 100_000;

    /** Calls of {@link #accept} by itself that C2 does not inline. */
    private static final int OUT_OF_LINE = 2;

    private final Worker[] workers;
    private volatile Job job;
    private volatile boolean closed;

    /** @param threads the caller included, 1 or more */
    public WorkerPool(int threads) {
        if (threads < 1 || threads > 1024) {
            throw new ArgumentException("threads is " + threads + ", expected 1..1024");
        }
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
            workers[i].start();
        }
    }

    /** Threads including the caller. */
    public int threads() {
        return workers.length + 1;
    }

    /**
     * Runs {@code body} once for each block 0..blocks-1, in any order, and returns when all are done. If blocks throw, the rest
     * may be left out and the caller gets what the lowest of them threw, whichever was first.
     */
    public void run(int blocks, IntConsumer body) {
        checkOpen();
        if (workers.length == 0 || blocks <= 1) {
            runHere(blocks, body);
            return;
        }
        share(new Job(blocks, 1, threads(), (from, to) -> accept(body, from, OUT_OF_LINE)));
    }

    /** Work on blocks {@code from <= block < to}. */
    public interface Range {
        void run(int from, int to);
    }

    /** As {@link #run(int, IntConsumer)} with a call for up to {@code most} neighbouring blocks. */
    public void run(int blocks, int most, Range body) {
        checkOpen();
        if (most < 1) {
            throw new ArgumentException("most is " + most + ", expected 1 or more blocks a call");
        }
        if (workers.length == 0 || blocks <= 1) {
            for (int from = 0, to; from < blocks; from = to) {
                to = from + Math.min(most, blocks - from);
                body.run(from, to);
            }
            return;
        }
        share(new Job(blocks, most, threads(), body));
    }

    /** As {@link #run}, in order and on the calling thread alone: for work too little to share. */
    public static void runHere(int blocks, IntConsumer body) {
        for (int block = 0; block < blocks; block++) {
            accept(body, block, OUT_OF_LINE);
        }
    }

    /**
     * Calls body with the block, and is not inlined into the caller: C2 inlines a method into itself only once. From an op's
     * call down to the memory access of an inner loop are more than the 15 levels that C2 goes; where only one kernel is in
     * use and it inlines all of them, it would leave the last one as a call, in the inner loop.
     */
    private static void accept(IntConsumer body, int block, int again) {
        if (again > 0) {
            accept(body, block, again - 1);
        } else {
            body.accept(block);
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new ClosedException("the backend's worker pool was used after close");
        }
    }

    private void share(Job current) {
        job = current;
        for (Worker worker : workers) {
            worker.wake();
        }
        current.work(0);
        current.await();
    }

    /** One call of {@link #run}: a worker that arrives late finds nothing left to claim and disturbs nobody. */
    private static final class Job {
        private final int blocks;
        private final int threads;
        private final Range body;
        private final Parts parts;
        private final AtomicInteger done = new AtomicInteger();
        private volatile int failed = Integer.MAX_VALUE;
        private Throwable failure;

        Job(int blocks, int most, int threads, Range body) {
            this.blocks = blocks;
            this.threads = threads;
            this.body = body;
            parts = new Parts(blocks, threads, most);
        }

        /** The thread's own part, then the others'. */
        void work(int thread) {
            for (int i = 0; i < threads; i++) {
                int part = (thread + i) % threads;
                for (long range = parts.claim(part, i == 0); range != Parts.NONE; range = parts.claim(part, i == 0)) {
                    work(Parts.from(range), Parts.to(range));
                }
            }
        }

        private void work(int from, int to) {
            try {
                // blocks below the failed one may fail as well
                if (from < failed) {
                    body.run(from, to);
                }
            } catch (Throwable e) {
                fail(from, e);
            } finally {
                done.addAndGet(to - from);
            }
        }

        private synchronized void fail(int block, Throwable e) {
            if (block < failed) {
                failure = e;
                failed = block;
            }
        }

        void await() {
            long start = System.nanoTime();
            while (done.get() < blocks) {
                if (System.nanoTime() - start < YIELD_AFTER_NANOS) {
                    Thread.onSpinWait();
                } else {
                    Thread.yield();
                }
            }
            switch (failure) {
                case null -> {}
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                case Throwable e -> throw new IllegalStateException(e);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        for (Worker worker : workers) {
            LockSupport.unpark(worker);
        }
    }

    private final class Worker extends Thread {
        private final int index;
        private volatile boolean parked;

        Worker(int index) {
            super("quern-worker-" + index);
            this.index = index;
            setDaemon(true);
        }

        void wake() {
            if (parked) {
                LockSupport.unpark(this);
            }
        }

        @Override
        public void run() {
            Job last = null;
            while (true) {
                Job current = await(last);
                if (current == null) {
                    return;
                }
                current.work(index);
                last = current;
            }
        }

        /** The next job after {@code last}, or null when the pool is closed. */
        private Job await(Job last) {
            long deadline = System.nanoTime() + SPIN_NANOS;
            while (true) {
                Job current = job;
                if (current != null && current != last) {
                    return current;
                }
                if (closed) {
                    return null;
                }
                if (System.nanoTime() < deadline) {
                    Thread.onSpinWait();
                    continue;
                }
                parked = true;
                if ((job == null || job == last) && !closed) {
                    LockSupport.park(this);
                }
                parked = false;
                deadline = System.nanoTime() + SPIN_NANOS;
            }
        }
    }
}
