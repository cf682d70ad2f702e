package io.quern.op;

import io.quern.tensor.Tensor;

/**
 * The least work of a call.
 *
 * @param flops floating-point operations; a multiply-add counts as two
 * @param bytes bytes read and written once each
 */
public record Cost(double flops, double bytes) {
    /** Given operations, and every input and output touched once. */
    public static Cost touchingAll(double flops, OpArgs args) {
        double bytes = 0;
        for (Tensor tensor : args.inputs()) {
            bytes += (double) tensor.elements() * tensor.dtype().bytes();
        }
        for (Tensor tensor : args.outputs()) {
            bytes += (double) tensor.elements() * tensor.dtype().bytes();
        }
        return new Cost(flops, bytes);
    }
}
