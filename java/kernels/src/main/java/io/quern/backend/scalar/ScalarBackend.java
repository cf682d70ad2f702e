package io.quern.backend.scalar;

import io.quern.backend.HostBackend;
import io.quern.backend.KernelTable;
import io.quern.backend.WorkerPool;
import io.quern.op.Conv2d;
import io.quern.op.Conv2dBackwardData;
import io.quern.op.Conv2dBackwardWeights;
import io.quern.op.Matmul;

/**
 * Plain Java loops that the JIT compiler vectorises by itself: for a JVM without the Vector API module. Only the ops that
 * dominate a training step have kernels here; the rest runs as reference.
 */
public final class ScalarBackend extends HostBackend {
    public ScalarBackend(int threads) {
        this(new WorkerPool(threads));
    }

    private ScalarBackend(WorkerPool pool) {
        super("scalar", "plain Java loops, " + pool.threads() + " threads", kernels(pool), pool);
    }

    private static KernelTable kernels(WorkerPool pool) {
        KernelTable table = new KernelTable();
        table.put(Matmul.OP, new MatmulScalar(pool));
        table.put(Conv2d.OP, new Conv2dScalar(pool));
        table.put(Conv2dBackwardData.OP, new Conv2dBackwardDataScalar(pool));
        table.put(Conv2dBackwardWeights.OP, new Conv2dBackwardWeightsScalar(pool));
        return table;
    }
}
