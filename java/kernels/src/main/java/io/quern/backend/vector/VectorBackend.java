package io.quern.backend.vector;

import io.quern.backend.HostBackend;
import io.quern.backend.KernelTable;
import io.quern.backend.WorkerPool;
import io.quern.op.Activation;
import io.quern.op.ActivationBackward;
import io.quern.op.AdamWStep;
import io.quern.op.Add;
import io.quern.op.ArgMax;
import io.quern.op.BiasAdd;
import io.quern.op.Broadcast;
import io.quern.op.ClipByNorm;
import io.quern.op.Dropout;
import io.quern.op.Fill;
import io.quern.op.MeanSquaredError;
import io.quern.op.MeanSquaredErrorBackward;
import io.quern.op.Multiply;
import io.quern.op.Reduce;
import io.quern.op.Scale;
import io.quern.op.SgdStep;
import io.quern.op.SquaredNorm;

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
        table.put(Fill.OP, new FillVector(pool));
        table.put(Add.OP, new AddVector(pool));
        table.put(Multiply.OP, new MultiplyVector(pool));
        table.put(Scale.OP, new ScaleVector(pool));
        table.put(BiasAdd.OP, new BiasAddVector(pool));
        table.put(Activation.OP, new ActivationVector(pool));
        table.put(ActivationBackward.OP, new ActivationBackwardVector(pool));
        table.put(Dropout.OP, new DropoutVector(pool));
        table.put(Reduce.OP, new ReduceVector(pool));
        table.put(Broadcast.OP, new BroadcastVector(pool));
        table.put(ArgMax.OP, new ArgMaxVector(pool));
        table.put(MeanSquaredError.OP, new MeanSquaredErrorVector(pool));
        table.put(MeanSquaredErrorBackward.OP, new MeanSquaredErrorBackwardVector(pool));
        table.put(SgdStep.OP, new SgdStepVector(pool));
        table.put(AdamWStep.OP, new AdamWStepVector(pool));
        table.put(SquaredNorm.OP, new SquaredNormVector(pool));
        table.put(ClipByNorm.OP, new ClipByNormVector(pool));
        return table;
    }
}
