package io.quern.op;

import java.util.List;

/** The catalogue: one line per op. Everything that holds for every op is tested from here. */
public final class Ops {
    /** Every op of this version. */
    public static final List<Op<?>> ALL = List.of(new Op<?>[] {
        // matrix products and convolutions
        Matmul.OP,
        Conv2d.OP,
        Conv2dBackwardData.OP,
        Conv2dBackwardWeights.OP,
        // elementwise
        Fill.OP,
        Add.OP,
        Multiply.OP,
        Scale.OP,
        BiasAdd.OP,
        Activation.OP,
        ActivationBackward.OP,
        Dropout.OP,
        // softmax, losses, normalisation
        Softmax.OP,
        SoftmaxBackward.OP,
        SoftmaxCrossEntropy.OP,
        SoftmaxCrossEntropyBackward.OP,
        BatchNorm.OP,
        BatchNormBackward.OP,
        BatchNormInference.OP,
        BatchNormInferenceBackward.OP,
        LayerNorm.OP,
        LayerNormBackward.OP,
        // reductions
        Reduce.OP,
        Broadcast.OP,
        ClipByNorm.OP,
        SquaredNorm.OP,
        AdamWStep.OP,
        SgdStep.OP,
        // pooling
        MaxPool.OP,
        MaxPoolBackward.OP,
        AvgPool.OP,
        AvgPoolBackward.OP,
        // moving and converting
        Embedding.OP,
        EmbeddingBackward.OP,
        Cast.OP,
        Transpose.OP,
        ArgMax.OP,
        // losses
        MeanSquaredError.OP,
        MeanSquaredErrorBackward.OP,
        // optimizers
    });

    private Ops() {}
}
