package io.quern.backend.cuda;

import io.quern.backend.KernelTable;
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

/** The CUDA kernels: one line per op. */
final class CudaTable {
    private CudaTable() {}

    static KernelTable of(CudaKernels kernels) {
        KernelTable table = new KernelTable();
        table.put(Activation.OP, new ActivationCuda(kernels));
        table.put(ActivationBackward.OP, new ActivationBackwardCuda(kernels));
        table.put(AdamWStep.OP, new AdamWStepCuda(kernels));
        table.put(Add.OP, new AddCuda(kernels));
        table.put(ArgMax.OP, new ArgMaxCuda(kernels));
        table.put(AvgPool.OP, new AvgPoolCuda(kernels));
        table.put(AvgPoolBackward.OP, new AvgPoolBackwardCuda(kernels));
        table.put(BatchNorm.OP, new BatchNormCuda(kernels));
        table.put(BatchNormBackward.OP, new BatchNormBackwardCuda(kernels));
        table.put(BatchNormInference.OP, new BatchNormInferenceCuda(kernels));
        table.put(BatchNormInferenceBackward.OP, new BatchNormInferenceBackwardCuda(kernels));
        table.put(BiasAdd.OP, new BiasAddCuda(kernels));
        table.put(Broadcast.OP, new BroadcastCuda(kernels));
        table.put(Cast.OP, new CastCuda(kernels));
        table.put(ClipByNorm.OP, new ClipByNormCuda(kernels));
        table.put(Conv2d.OP, new Conv2dCuda(kernels));
        table.put(Conv2dBackwardData.OP, new Conv2dBackwardDataCuda(kernels));
        table.put(Conv2dBackwardWeights.OP, new Conv2dBackwardWeightsCuda(kernels));
        table.put(Dropout.OP, new DropoutCuda(kernels));
        table.put(Embedding.OP, new EmbeddingCuda(kernels));
        table.put(EmbeddingBackward.OP, new EmbeddingBackwardCuda(kernels));
        table.put(Fill.OP, new FillCuda(kernels));
        table.put(LayerNorm.OP, new LayerNormCuda(kernels));
        table.put(LayerNormBackward.OP, new LayerNormBackwardCuda(kernels));
        table.put(Matmul.OP, new MatmulCuda(kernels));
        table.put(MaxPool.OP, new MaxPoolCuda(kernels));
        table.put(MaxPoolBackward.OP, new MaxPoolBackwardCuda(kernels));
        table.put(MeanSquaredError.OP, new MeanSquaredErrorCuda(kernels));
        table.put(MeanSquaredErrorBackward.OP, new MeanSquaredErrorBackwardCuda(kernels));
        table.put(Multiply.OP, new MultiplyCuda(kernels));
        table.put(Reduce.OP, new ReduceCuda(kernels));
        table.put(Scale.OP, new ScaleCuda(kernels));
        table.put(SgdStep.OP, new SgdStepCuda(kernels));
        table.put(Softmax.OP, new SoftmaxCuda(kernels));
        table.put(SoftmaxBackward.OP, new SoftmaxBackwardCuda(kernels));
        table.put(SoftmaxCrossEntropy.OP, new SoftmaxCrossEntropyCuda(kernels));
        table.put(SoftmaxCrossEntropyBackward.OP, new SoftmaxCrossEntropyBackwardCuda(kernels));
        table.put(SquaredNorm.OP, new SquaredNormCuda(kernels));
        table.put(Transpose.OP, new TransposeCuda(kernels));
        return table;
    }
}
