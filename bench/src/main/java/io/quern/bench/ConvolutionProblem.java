package io.quern.bench;

import io.quern.tensor.Tensor;

/**
 * One pass of a convolution on shared tensors: two are read, the third is written.
 *
 * @param image (N, H, W, C), the input or its gradient
 * @param filter (R, S, C / groups, K), the weights or their gradient
 * @param result (N, P, Q, K), the output or its gradient
 */
public record ConvolutionProblem(ConvolutionSpec spec, Pass pass, Tensor image, Tensor filter, Tensor result) {
    public enum Pass {
        FORWARD,
        BACKWARD_DATA,
        BACKWARD_WEIGHTS;

        static Pass parse(String text) {
            return switch (text) {
                case "forward" -> FORWARD;
                case "backward-data" -> BACKWARD_DATA;
                case "backward-weights" -> BACKWARD_WEIGHTS;
                default ->
                    throw new IllegalArgumentException(
                            "pass is " + text + ", expected forward, backward-data or backward-weights");
            };
        }
    }

    /** The tensor that the pass writes. */
    public Tensor written() {
        return switch (pass) {
            case FORWARD -> result;
            case BACKWARD_DATA -> image;
            case BACKWARD_WEIGHTS -> filter;
        };
    }
}
