package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import io.quern.tensor.DType;
import io.quern.tensor.Tensor;

/** Splits a flat range of elements among the workers in fixed blocks, neighbours together. */
final class Ranges {
    /** Elements per block: 64 KiB of floats, about ten microseconds of streaming; a multiple of every vector length. */
    static final int BLOCK = 1 << 14;

    private Ranges() {}

    /** Work on elements {@code from <= i < from + count}. */
    interface Body {
        void run(long from, int count);
    }

    static void run(WorkerPool pool, long elements, Body body) {
        int blocks = Math.toIntExact((elements + BLOCK - 1) / BLOCK);
        int together = Blocks.together(pool, blocks);
        pool.run((blocks + together - 1) / together, share -> {
            int end = Math.min(blocks, (share + 1) * together);
            for (int block = share * together; block < end; block++) {
                long from = (long) block * BLOCK;
                body.run(from, (int) Math.min(BLOCK, elements - from));
            }
        });
    }

    /** The same with one call for all neighbouring blocks of a thread. */
    static void shares(WorkerPool pool, long elements, Body body) {
        long share = (long) BLOCK * Blocks.together(pool, Math.toIntExact((elements + BLOCK - 1) / BLOCK));
        pool.run(Math.toIntExact((elements + share - 1) / share), i -> {
            long from = i * share;
            body.run(from, (int) Math.min(share, elements - from));
        });
    }

    /** True when all tensors are row-major F32, so that a kernel may walk them as flat arrays. */
    static boolean flat(Tensor... tensors) {
        for (Tensor tensor : tensors) {
            if (tensor != null && (tensor.dtype() != DType.F32 || !tensor.isContiguous())) {
                return false;
            }
        }
        return true;
    }
}
