package io.quern.train;

import io.quern.tensor.ArgumentException;
import java.util.List;

/**
 * The rate is multiplied by {@code factor} at each milestone.
 *
 * @param milestones fractions of the whole training, for example 0.5 and 0.75 (He et al. 2015)
 */
public record StepDecay(double base, double factor, List<Double> milestones) implements Schedule {
    public StepDecay {
        Rates.positive(base);
        milestones = List.copyOf(milestones);
        if (!(factor > 0 && factor <= 1)) {
            throw new ArgumentException("the factor of a step decay is " + factor + ", expected 0 < factor <= 1");
        }
    }

    @Override
    public double rate(long step, long total) {
        double rate = base;
        for (double milestone : milestones) {
            if (step >= milestone * total) {
                rate *= factor;
            }
        }
        return rate;
    }
}
