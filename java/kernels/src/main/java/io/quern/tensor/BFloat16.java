package io.quern.tensor;

/** Conversions of the 16-bit brain float. */
public final class BFloat16 {
    private BFloat16() {}

    /** Rounds to nearest, ties to even; NaN stays NaN. */
    public static short fromFloat(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }

    /** Rounds once: going through the nearest float would round ties of that float a second time. */
    public static short fromDouble(double value) {
        float nearest = (float) value;
        if (nearest == value || Double.isNaN(value)) {
            return fromFloat(nearest);
        }
        // Round to odd first (toward zero, then a sticky last bit): the second rounding then cannot see a false tie.
        int bits = Float.floatToRawIntBits(nearest);
        int towardZero = Math.abs((double) nearest) > Math.abs(value) ? bits - 1 : bits;
        return fromFloat(Float.intBitsToFloat(towardZero | 1));
    }

    public static float toFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }
}
