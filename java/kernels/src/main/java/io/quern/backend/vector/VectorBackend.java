package io.quern.backend.vector;

import io.quern.backend.HostBackend;
import io.quern.backend.KernelTable;
import io.quern.backend.WorkerPool;
import io.quern.op.Add;
import io.quern.op.BatchNorm;
import io.quern.op.BatchNormBackward;
import io.quern.op.BatchNormInference;
import io.quern.op.BatchNormInferenceBackward;
import io.quern.op.LayerNorm;
import io.quern.op.LayerNormBackward;
import io.quern.op.Softmax;
import io.quern.op.SoftmaxBackward;
import io.quern.op.SoftmaxCrossEntropy;
import io.quern.op.SoftmaxCrossEntropyBackward;

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
        table.put(Add.OP, new AddVector(pool));
        table.put(Softmax.OP, new SoftmaxVector(pool));
        table.put(SoftmaxBackward.OP, new SoftmaxBackwardVector(pool));
        table.put(SoftmaxCrossEntropy.OP, new SoftmaxCrossEntropyVector(pool));
        table.put(SoftmaxCrossEntropyBackward.OP, new SoftmaxCrossEntropyBackwardVector(pool));
        table.put(BatchNorm.OP, new BatchNormVector(pool));
        table.put(BatchNormBackward.OP, new BatchNormBackwardVector(pool));
        table.put(BatchNormInference.OP, new BatchNormInferenceVector(pool));
        table.put(BatchNormInferenceBackward.OP, new BatchNormInferenceBackwardVector(pool));
        table.put(LayerNorm.OP, new LayerNormVector(pool));
        table.put(LayerNormBackward.OP, new LayerNormBackwardVector(pool));
        return table;
    }
}
