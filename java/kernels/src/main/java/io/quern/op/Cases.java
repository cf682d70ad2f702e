package io.quern.op;

import java.util.stream.LongStream;

/** Lengths that break loops, shared by the ops' cases. */
public final class Cases {
    private Cases() {}

    /**
     * Empty; one; around the lanes of 128, 256 and 512 bit vectors (4, 8, 16 floats) and their 4-fold unrolling; primes;
     * beyond the 16384 elements from which elementwise kernels are split among threads.
     */
    public static LongStream lengths() {
        return LongStream.of(0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 257, 1009, 33_331);
    }

    /** A few lengths for ops with other dimensions to vary. */
    public static LongStream fewLengths() {
        return LongStream.of(1, 7, 16, 37);
    }
}
