package io.quern.backend.vector;

import static jdk.incubator.vector.VectorOperators.FMA;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LT;

import jdk.incubator.vector.FloatVector;

/** The penalties that optimizers couple into the gradient. */
final class Penalties {
    private Penalties() {}

    /** gradient + l2 p + l1 sign(p). */
    static FloatVector add(FloatVector gradient, FloatVector p, float l2, float l1) {
        FloatVector sign = Floats.all(0).blend(1f, p.compare(GT, 0f)).blend(-1f, p.compare(LT, 0f));
        return sign.lanewise(FMA, l1, p.lanewise(FMA, l2, gradient));
    }
}
