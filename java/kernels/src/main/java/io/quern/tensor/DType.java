package io.quern.tensor;

/** Element types of a tensor. */
public enum DType {
    /** IEEE binary32, the default. */
    F32(4, 0x1p-24),
    /** IEEE binary64, for references and gradient checks. */
    F64(8, 0x1p-53),
    /** Upper half of a binary32: a storage format; ops that take it compute in F32 and round results once. */
    BF16(2, 0x1p-8),
    /** Signed 32-bit integers: labels and indices. */
    I32(4, 0);

    private final int bytes;
    private final double unitRoundoff;

    DType(int bytes, double unitRoundoff) {
        this.bytes = bytes;
        this.unitRoundoff = unitRoundoff;
    }

    /** Size of one element in bytes. */
    public int bytes() {
        return bytes;
    }

    /** Largest relative error of rounding to nearest; 0 for integers. */
    public double unitRoundoff() {
        return unitRoundoff;
    }

    /** The type that sums of this one are kept in: F32 for BF16, else this one. */
    public DType accumulator() {
        return this == BF16 ? F32 : this;
    }

    /** True for the floating-point types. */
    public boolean isReal() {
        return this != I32;
    }
}
