package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import io.quern.tensor.DType;
import io.quern.tensor.Tensor;

/** Splits a flat range of elements among the workers in fixed blocks. */
final class Ranges {
    /** Elements per block: 64 KiB of floats, about ten microseconds of streaming; a multiple of every vector length. */
    static final int BLOCK = 1 << 14;
    /** Blocks of one call of {@link #shares} at most: milliseconds, after which a thread without work finds some. */
    static final int SHARE = 128;

    private Ranges() {}

    /** Work on elements {@code from <= i < from + count}. */
    interface Body {
        void run(long from, int count);
    }

    static void run(WorkerPool pool, long elements, Body body) {
        pool.run(blocks(elements), block -> {
            long from = (long) block * BLOCK;
            body.run(from, (int) Math.min(BLOCK, elements - from));
        });
    }

    /** The same with one call for many neighbouring blocks. */
    static void shares(WorkerPool pool, long elements, Body body) {
        pool.run(blocks(elements), SHARE, (first, end) -> {
            long from = (long) first * BLOCK;
            body.run(from, (int) Math.min((long) (end - first) * BLOCK, elements - from));
        });
    }

    private static int blocks(long elements) {
        return Math.toIntExact((elements + BLOCK - 1) / BLOCK);
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
