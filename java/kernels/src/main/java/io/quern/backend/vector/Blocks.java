package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import java.util.function.IntConsumer;

/** Runs numbered blocks on the pool, or here when the work is too little to share. */
final class Blocks {
    private Blocks() {}

    static void run(WorkerPool pool, boolean parallel, int blocks, IntConsumer body) {
        if (parallel) {
            pool.run(blocks, body);
        } else {
            WorkerPool.runHere(blocks, body);
        }
    }
}
