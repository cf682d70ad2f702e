package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;

/**
 * How one shape of convolution, forward or by the image, is computed.
 *
 * @param fast null where {@code direct} is faster or the only one allowed
 */
record ConvPlan(Correlation direct, ConvWinograd fast) {
    /** x to y. */
    static ConvPlan forward(ConvShape shape) {
        return new ConvPlan(Correlation.forward(shape), ConvWinograd.forward(shape));
    }

    /** dy to dx. */
    static ConvPlan backward(ConvShape shape) {
        return new ConvPlan(Correlation.backward(shape), ConvWinograd.backward(shape));
    }

    /**
     * @param bias one float per result channel, or null
     * @param relu whether negative results become 0
     * @param epilogue for finished blocks of a forward convolution, or null
     */
    void run(
            Tensor source,
            Tensor filter,
            Tensor bias,
            Tensor result,
            boolean relu,
            Epilogue epilogue,
            Scratch scratch,
            WorkerPool pool) {
        if (fast == null || !fast.run(source, filter, bias, result, relu, epilogue, scratch, pool)) {
            direct.run(source, filter, bias, result, relu, epilogue, scratch, pool);
        }
    }
}
