package io.quern.bench.duel;

import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * The same benchmark thread for every JMH run in this JVM, named by {@code jmh.executor.class}: OpenMP teams, thread
 * counts and scratch memory belong to a thread, and would be set up again for each short run.
 */
public final class SteadyExecutor extends AbstractExecutorService {
    private static final ExecutorService THREAD = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(null, task, "benchmark", 16L << 20);
        thread.setDaemon(true);
        return thread;
    });

    private volatile boolean shutdown;

    /** As JMH calls it. */
    public SteadyExecutor(int threads, String prefix) {
        if (threads != 1) {
            throw new IllegalArgumentException("one JMH thread, not " + threads + "; use -p threads=" + threads);
        }
    }

    @Override
    public void execute(Runnable task) {
        THREAD.execute(task);
    }

    @Override
    public void shutdown() {
        shutdown = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
        shutdown = true;
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        return shutdown;
    }

    @Override
    public boolean isTerminated() {
        return shutdown;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return shutdown;
    }
}
