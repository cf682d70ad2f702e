package io.quern.explain;

import io.quern.tensor.Shape;
import java.util.Arrays;

/**
 * How much each input value had to do with one output of a network, for one sample.
 *
 * @param values one per input value, in row-major order
 * @param shape of the sample
 * @param target which output is explained
 * @param output the network's output for the sample: a logit, where the model ends in logits
 * @param baselineOutput the same for the baseline; NaN for methods without one
 */
public record Attribution(double[] values, Shape shape, int target, double output, double baselineOutput) {
    /** Sum of all values. */
    public double sum() {
        return Arrays.stream(values).sum();
    }

    /**
     * Completeness: by how much the values' sum misses output minus baseline output, which they divide up among the
     * inputs. NaN for methods that promise no such thing.
     */
    public double residual() {
        return Math.abs(sum() - (output - baselineOutput));
    }

    /** {@link #residual} as a share of |output - baselineOutput|; NaN if both are 0. */
    public double relativeResidual() {
        return residual() / Math.abs(output - baselineOutput);
    }

    /** Compares the values, not the identity of the array. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Attribution a
                && Arrays.equals(values, a.values)
                && shape.equals(a.shape)
                && target == a.target
                && Double.compare(output, a.output) == 0
                && Double.compare(baselineOutput, a.baselineOutput) == 0;
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(values);
    }
}
