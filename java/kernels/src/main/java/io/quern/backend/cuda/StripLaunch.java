package io.quern.backend.cuda;

import io.quern.tensor.Tensor;

/**
 * A thread for every strip of neighbours in a row of a tensor (n, h, w, c), and some channels of it: Strips of strips.cuh.
 *
 * @param rows of an image
 * @param strips of a row
 * @param packs of channels
 */
record StripLaunch(long images, int rows, int strips, int packs) {
    /** Bytes of the widest access. */
    private static final int BYTES = 16;

    private static final int BLOCK = 256;

    /** Channels of 16 bytes of the first tensor, where those of all tensors can be accessed so, else 1; nulls behind pass. */
    static int lanes(Tensor... tensors) {
        int lanes = KernelByDtype.lanes(tensors[0]);
        for (Tensor tensor : tensors) {
            if (tensor != null && !(tensor.size(tensor.rank() - 1) % lanes == 0 && tensor.address() % BYTES == 0)) {
                return 1;
            }
        }
        return lanes;
    }

    /**
     * @param lanes channels of a thread, a divisor of c
     * @param length pixels of a strip
     */
    StripLaunch(Tensor covered, int lanes, int length) {
        this(covered.size(0), covered.dim(1), Math.ceilDiv(covered.dim(2), length), covered.dim(3) / lanes);
    }

    private long threads() {
        return images * rows * strips * packs;
    }

    /** True when threads can be counted in 32 bits, also with one channel each. */
    static boolean supported(Tensor covered) {
        return covered.elements() <= Integer.MAX_VALUE;
    }

    /** Adds Strips; to be followed by {@link #run}. */
    Launch add(Launch launch) {
        return launch.words(
                Launch.pair(packs, strips),
                Launch.pair(rows, Math.toIntExact(threads())),
                FastDivision.by(Math.max(1, packs)),
                FastDivision.by(Math.max(1, strips)),
                FastDivision.by(Math.max(1, rows)));
    }

    void run(Launch launch) {
        launch.cover(threads(), BLOCK, 1);
    }
}
