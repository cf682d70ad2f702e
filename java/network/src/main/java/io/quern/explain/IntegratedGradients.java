package io.quern.explain;

import io.quern.nn.Network;
import io.quern.op.Executor;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Tensor;

/**
 * (x - baseline) times the mean gradient on the straight way from baseline to x: divides output minus baseline output up
 * among the inputs. Sundararajan, Taly, Yan, "Axiomatic attribution for deep networks", ICML 2017.
 *
 * <p>Exact for linear networks in one step. On networks of rectifiers the gradient jumps along the way; the residual that
 * each {@link Attribution} carries says how much the finite number of steps left out.
 */
public final class IntegratedGradients {
    private final InputGradient gradient;
    private final int steps;
    private final PathRule rule;
    private final int batch;

    /**
     * @param steps gradients per explanation, at least 1; the adaptive rule may need fewer
     * @param batch gradients that are computed at once, at least 1
     */
    public IntegratedGradients(Network network, Executor executor, int steps, PathRule rule, int batch) {
        if (steps < 1 || batch < 1) {
            throw new ArgumentException(
                    "integrated gradients with " + steps + " steps in batches of " + batch + ", expected at least 1");
        }
        this.gradient = new InputGradient(network, executor);
        this.steps = steps;
        this.rule = rule;
        this.batch = batch;
    }

    /** In batches of 64, by the adaptive rule. */
    public IntegratedGradients(Network network, Executor executor, int steps) {
        this(network, executor, steps, PathRule.ADAPTIVE, 64);
    }

    /** Against {@link Baselines#zeros}. */
    public Attribution explain(float[] input, int target) {
        return explain(input, Baselines.zeros(gradient.inputShape()), target);
    }

    /** The same for a tensor of one sample, with or without batch axis. */
    public Attribution explain(Tensor input, int target) {
        return explain(input.toFloats(), target);
    }

    /**
     * @param input one sample as the network sees it, that is after normalization
     * @param baseline likewise; see {@link Baselines}
     * @param target which output, from 0
     */
    public Attribution explain(float[] input, float[] baseline, int target) {
        gradient.checkInput(input, "input");
        gradient.checkInput(baseline, "baseline");
        if (rule == PathRule.ADAPTIVE && steps > 1) {
            return new AdaptivePath(gradient, baseline, input, target, batch).explain(steps);
        }
        double[][] nodes = rule.nodes(steps);
        double[] mean = new double[input.length];
        for (int from = 0; from < steps; from += batch) {
            int count = Math.min(batch, steps - from);
            float[][] points = new float[count][];
            for (int k = 0; k < count; k++) {
                points[k] = InputGradient.between(baseline, input, nodes[0][from + k]);
            }
            float[][] gradients = gradient.of(points, target, true).gradients();
            for (int k = 0; k < count; k++) {
                for (int i = 0; i < mean.length; i++) {
                    mean[i] += nodes[1][from + k] * gradients[k][i];
                }
            }
        }
        double[] values = new double[input.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = ((double) input[i] - baseline[i]) * mean[i];
        }
        double[] ends =
                gradient.of(new float[][] {input, baseline}, target, false).outputs();
        return new Attribution(values, gradient.inputShape(), target, ends[0], ends[1]);
    }
}
