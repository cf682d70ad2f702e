package io.quern.backend.vector;

import io.quern.backend.HostBackend;
import io.quern.backend.KernelTable;
import io.quern.backend.WorkerPool;
import io.quern.op.Activation;
import io.quern.op.ActivationBackward;
import io.quern.op.AdamWStep;
import io.quern.op.Add;
import io.quern.op.ArgMax;
import io.quern.op.AvgPool;
import io.quern.op.AvgPoolBackward;
import io.quern.op.BatchNorm;
import io.quern.op.BatchNormBackward;
import io.quern.op.BatchNormInference;
import io.quern.op.BatchNormInferenceBackward;
import io.quern.op.BiasAdd;
import io.quern.op.Broadcast;
import io.quern.op.Cast;
import io.quern.op.ClipByNorm;
import io.quern.op.Conv2d;
import io.quern.op.Conv2dBackwardData;
import io.quern.op.Conv2dBackwardWeights;
import io.quern.op.Dropout;
import io.quern.op.Embedding;
import io.quern.op.EmbeddingBackward;
import io.quern.op.Fill;
import io.quern.op.LayerNorm;
import io.quern.op.LayerNormBackward;
import io.quern.op.Matmul;
import io.quern.op.MaxPool;
import io.quern.op.MaxPoolBackward;
import io.quern.op.MeanSquaredError;
import io.quern.op.MeanSquaredErrorBackward;
import io.quern.op.Multiply;
import io.quern.op.Reduce;
import io.quern.op.Scale;
import io.quern.op.SgdStep;
import io.quern.op.Softmax;
import io.quern.op.SoftmaxBackward;
import io.quern.op.SoftmaxCrossEntropy;
import io.quern.op.SoftmaxCrossEntropyBackward;
import io.quern.op.SquaredNorm;
import io.quern.op.Transpose;

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
        table.put(Matmul.OP, new MatmulVector(pool, scratch));
        table.put(Conv2d.OP, new Conv2dVector(pool, scratch));
        table.put(Conv2dBackwardData.OP, new Conv2dBackwardDataVector(pool, scratch));
        table.put(Conv2dBackwardWeights.OP, new Conv2dBackwardWeightsVector(pool, scratch));
        table.put(Fill.OP, new FillVector(pool));
        table.put(Multiply.OP, new MultiplyVector(pool));
        table.put(Scale.OP, new ScaleVector(pool));
        table.put(BiasAdd.OP, new BiasAddVector(pool, scratch));
        table.put(Activation.OP, new ActivationVector(pool));
        table.put(ActivationBackward.OP, new ActivationBackwardVector(pool));
        table.put(Dropout.OP, new DropoutVector(pool, scratch));
        table.put(Reduce.OP, new ReduceVector(pool));
        table.put(Broadcast.OP, new BroadcastVector(pool, scratch));
        table.put(ArgMax.OP, new ArgMaxVector(pool, scratch));
        table.put(MeanSquaredError.OP, new MeanSquaredErrorVector(pool));
        table.put(MeanSquaredErrorBackward.OP, new MeanSquaredErrorBackwardVector(pool));
        table.put(SgdStep.OP, new SgdStepVector(pool));
        table.put(AdamWStep.OP, new AdamWStepVector(pool));
        table.put(SquaredNorm.OP, new SquaredNormVector(pool));
        table.put(ClipByNorm.OP, new ClipByNormVector(pool));
        table.put(MaxPool.OP, new MaxPoolVector(pool, scratch));
        table.put(MaxPoolBackward.OP, new MaxPoolBackwardVector(pool, scratch));
        table.put(AvgPool.OP, new AvgPoolVector(pool, scratch));
        table.put(AvgPoolBackward.OP, new AvgPoolBackwardVector(pool));
        table.put(Embedding.OP, new EmbeddingVector(pool));
        table.put(EmbeddingBackward.OP, new EmbeddingBackwardVector(pool));
        table.put(Cast.OP, new CastVector(pool));
        table.put(Transpose.OP, new TransposeVector(pool));
        table.put(Softmax.OP, new SoftmaxVector(pool, scratch));
        table.put(SoftmaxBackward.OP, new SoftmaxBackwardVector(pool));
        table.put(SoftmaxCrossEntropy.OP, new SoftmaxCrossEntropyVector(pool, scratch));
        table.put(SoftmaxCrossEntropyBackward.OP, new SoftmaxCrossEntropyBackwardVector(pool));
        table.put(BatchNorm.OP, new BatchNormVector(pool, scratch));
        table.put(BatchNormBackward.OP, new BatchNormBackwardVector(pool, scratch));
        table.put(BatchNormInference.OP, new BatchNormInferenceVector(pool, scratch));
        table.put(BatchNormInferenceBackward.OP, new BatchNormInferenceBackwardVector(pool, scratch));
        table.put(LayerNorm.OP, new LayerNormVector(pool, scratch));
        table.put(LayerNormBackward.OP, new LayerNormBackwardVector(pool, scratch));
        return table;
    }
}
