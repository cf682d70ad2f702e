package io.quern.backend.vector;

import io.quern.backend.HostBackend;
import io.quern.backend.KernelTable;
import io.quern.backend.WorkerPool;
import io.quern.op.Add;
import io.quern.op.Conv2d;
import io.quern.op.Conv2dBackwardData;
import io.quern.op.Conv2dBackwardWeights;

/** The Vector API kernels: one line per op. Reached by name only, after the module was found. */
public final class VectorBackend extends HostBackend {
    private VectorBackend(WorkerPool pool) {
        super(
                "vector",
                "Vector API, " + bits() + " bit, " + pool.threads() + (pool.threads() == 1 ? " thread" : " threads"),
                kernels(pool),
                pool);
    }

    public static VectorBackend open(int threads) {
        return new VectorBackend(new WorkerPool(threads));
    }

    /** Vector width in bits. */
    public static int bits() {
        return Lanes.F.vectorBitSize();
    }

    private static KernelTable kernels(WorkerPool pool) {
        KernelTable table = new KernelTable();
        Scratch scratch = new ThreadScratch();
        table.put(Add.OP, new AddVector(pool));
        table.put(Conv2d.OP, new Conv2dVector(pool, scratch));
        table.put(Conv2dBackwardData.OP, new Conv2dBackwardDataVector(pool, scratch));
        table.put(Conv2dBackwardWeights.OP, new Conv2dBackwardWeightsVector(pool, scratch));
        return table;
    }
}
