package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;
import java.util.List;

/** {@link Ranges} for a list of tensors: one job over the blocks of all, so that small tensors do not cost a job each. */
final class ListRanges {
    private ListRanges() {}

    /** Work on elements {@code from <= i < from + count} of one tensor; {@code block} counts through all tensors. */
    interface Body {
        void run(int block, int tensor, long from, int count);
    }

    static void run(WorkerPool pool, List<Tensor> tensors, Body body) {
        int[] ends = ends(tensors);
        int blocks = ends.length == 0 ? 0 : ends[ends.length - 1];
        pool.run(blocks, block -> {
            int tensor = 0;
            while (ends[tensor] <= block) {
                tensor++;
            }
            long from = (long) (block - (tensor == 0 ? 0 : ends[tensor - 1])) * Ranges.BLOCK;
            long elements = tensors.get(tensor).elements();
            body.run(block, tensor, from, (int) Math.min(Ranges.BLOCK, elements - from));
        });
    }

    /** Number of blocks that {@link #run} cuts these tensors into. */
    static int blocks(List<Tensor> tensors) {
        int[] ends = ends(tensors);
        return ends.length == 0 ? 0 : ends[ends.length - 1];
    }

    /** For each tensor the number of blocks up to and including it. */
    private static int[] ends(List<Tensor> tensors) {
        int[] ends = new int[tensors.size()];
        long blocks = 0;
        for (int k = 0; k < ends.length; k++) {
            blocks += (tensors.get(k).elements() + Ranges.BLOCK - 1) / Ranges.BLOCK;
            ends[k] = Math.toIntExact(blocks);
        }
        return ends;
    }

    static boolean flat(List<Tensor> tensors) {
        return tensors.stream().allMatch(Ranges::flat);
    }

    static long[] addresses(List<Tensor> tensors) {
        return tensors.stream().mapToLong(Tensor::address).toArray();
    }
}
