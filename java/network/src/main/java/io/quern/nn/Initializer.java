package io.quern.nn;

import io.quern.op.ActivationKind;
import io.quern.tensor.Rng;
import io.quern.tensor.Tensor;
import java.util.Locale;

/**
 * Initial values of parameters. Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural
 * networks", AISTATS 2010; He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015.
 */
public enum Initializer {
    ZEROS,
    ONES,
    /** Normal, variance 2 / fanIn: keeps the variance through rectifiers. */
    HE_NORMAL,
    /** Uniform of variance 2 / fanIn, that is within sqrt(6 / fanIn). */
    HE_UNIFORM,
    /** Normal, variance 2 / (fanIn + fanOut). */
    GLOROT_NORMAL,
    /** Uniform of variance 2 / (fanIn + fanOut), that is within sqrt(6 / (fanIn + fanOut)). */
    GLOROT_UNIFORM;

    /**
     * Sets every element of a host tensor, a function of the generator alone.
     *
     * @param fanIn inputs that one output sums over; at least 1 is assumed
     * @param fanOut outputs that one input reaches
     */
    public Tensor fill(Tensor target, Rng rng, long fanIn, long fanOut) {
        double he = 2.0 / Math.max(1, fanIn);
        double glorot = 2.0 / Math.max(1, fanIn + fanOut);
        return switch (this) {
            case ZEROS -> target.fill(0);
            case ONES -> target.fill(1);
            case HE_NORMAL -> rng.fillNormal(target, 0, Math.sqrt(he));
            case HE_UNIFORM -> uniform(target, rng, he);
            case GLOROT_NORMAL -> rng.fillNormal(target, 0, Math.sqrt(glorot));
            case GLOROT_UNIFORM -> uniform(target, rng, glorot);
        };
    }

    private static Tensor uniform(Tensor target, Rng rng, double variance) {
        double limit = Math.sqrt(3 * variance);
        return rng.fillUniform(target, -limit, limit);
    }

    /** The usual choice for weights whose sums go through this activation. */
    static Initializer before(ActivationKind activation) {
        return switch (activation) {
            case RELU, LEAKY_RELU, GELU, SILU -> HE_NORMAL;
            case NONE, SIGMOID, TANH -> GLOROT_UNIFORM;
        };
    }

    /** The name in model strings, for example {@code he-normal}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
