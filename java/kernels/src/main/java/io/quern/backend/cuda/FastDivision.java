package io.quern.backend.cuda;

/** Division by a number that is known before a launch: Divider of division.cuh. */
final class FastDivision {
    private FastDivision() {}

    /** The constants for quotients n / divisor of 0 <= n < 2^31, as one 64-bit word: multiplier, shift. */
    static long by(int divisor) {
        if (!(divisor >= 1)) {
            throw new IllegalArgumentException("divisor is " + divisor + ", expected 1 or more");
        }
        int shift = Integer.SIZE - Integer.numberOfLeadingZeros(divisor - 1);
        long multiplier = Math.ceilDiv(1L << 31 + shift, (long) divisor);
        return multiplier & 0xffffffffL | (long) shift << 32;
    }
}
