package io.quern.op;

/** How exactly an op must take its F32 operands; of other dtypes it says nothing. */
public enum Precision {
    /** As they are. */
    FULL,
    /**
     * They may be rounded to 11 significant bits (TF32) before they are multiplied, where hardware is faster so. Sums stay
     * F32.
     */
    TF32;

    /** Largest relative error of an operand. */
    double roundoff() {
        return this == TF32 ? 0x1p-11 : 0;
    }

    /** The error that two rounded operands bring into a product, counted in roundoffs u of the sums. */
    double rounding(double u) {
        return 2.01 * roundoff() / u;
    }
}
