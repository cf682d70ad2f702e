package io.quern.backend.cuda;

import io.quern.tensor.Tensor;

/**
 * A thread for every strip of neighbours in a row of a tensor (n, h, w, c), and some channels of it: Strips of strips.cuh.
 *
 * @param covered the tensor
 * @param lanes channels of a thread, a divisor of c
 * @param length pixels of a strip
 */
record StripLaunch(Tensor covered, int lanes, int length) {
    /** Channels of one 16-byte access. */
    static final int LANES = 4;

    private static final int BLOCK = 256;

    /** 4 where the channels of all tensors can be accessed so, else 1; nulls pass. */
    static int lanes(Tensor... tensors) {
        for (Tensor tensor : tensors) {
            boolean fits = tensor == null
                    || tensor.size(tensor.rank() - 1) % LANES == 0 && tensor.address() % (LANES * Float.BYTES) == 0;
            if (!fits) {
                return 1;
            }
        }
        return LANES;
    }

    private long threads() {
        return covered.size(0)
                * covered.size(1)
                * Math.ceilDiv(covered.size(2), (long) length)
                * covered.size(3)
                / lanes;
    }

    /** True when threads can be counted in 32 bits, also with one channel each. */
    static boolean supported(Tensor covered) {
        return covered.elements() <= Integer.MAX_VALUE;
    }

    /** Adds Strips; to be followed by {@link #run}. */
    Launch add(Launch launch) {
        int channels = covered.dim(3) / lanes;
        int strips = Math.ceilDiv(covered.dim(2), length);
        return launch.words(
                Launch.pair(channels, strips),
                Launch.pair(covered.dim(1), Math.toIntExact(threads())),
                FastDivision.by(Math.max(1, channels)),
                FastDivision.by(Math.max(1, strips)),
                FastDivision.by(Math.max(1, covered.dim(1))));
    }

    void run(Launch launch) {
        launch.cover(threads(), BLOCK, 1);
    }
}
