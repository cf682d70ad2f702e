package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import java.util.function.IntConsumer;

/** Runs numbered blocks on the pool, or here when the work is too little to share; how many go together. */
final class Blocks {
    /** Shares of each thread at least, so that all end at about the same time, and blocks of a share at most. */
    private static final int SHARES = 8, MOST = 128;

    private Blocks() {}

    static void run(WorkerPool pool, boolean parallel, int blocks, IntConsumer body) {
        if (parallel) {
            pool.run(blocks, body);
        } else {
            WorkerPool.runHere(blocks, body);
        }
    }

    /** As {@link #run}, neighbouring blocks {@link #together}. */
    static void runTogether(WorkerPool pool, boolean parallel, int blocks, IntConsumer body) {
        int together = together(pool, blocks);
        run(pool, parallel, Math.ceilDiv(blocks, together), share -> {
            int end = Math.min(blocks, (share + 1) * together);
            for (int block = share * together; block < end; block++) {
                body.accept(block);
            }
        });
    }

    /**
     * Neighbouring blocks that a thread takes at once: two threads that read and write near each other all the time are slower
     * than each in a part of memory of its own.
     */
    static int together(WorkerPool pool, int blocks) {
        return Math.clamp(blocks / (SHARES * pool.threads()), 1, MOST);
    }
}
