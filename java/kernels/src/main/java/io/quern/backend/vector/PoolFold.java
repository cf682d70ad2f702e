package io.quern.backend.vector;

/** How forward pooling combines elements: the rows of a window first, as flat arrays, then its columns. */
interface PoolFold {
    /** Combines two rows. {@code to} may be one of them. */
    void two(long a, long b, long to, int count);

    /** Combines three rows, the first two first. {@code to} may be one of them. */
    void three(long a, long b, long c, long to, int count);

    /**
     * Combines the columns of {@code count} windows of {@code width} pixels.
     *
     * @param x the combined rows, from the first column of the first window
     * @param step floats from one window to the next
     * @param c channels
     */
    void windows(long x, long y, int count, int step, int c, int width, float divisor);

    /**
     * The same for groups of windows that share a vector, see {@link PixelGroup}; reads two vectors per tap.
     *
     * @param step floats from one group to the next
     * @param lanes floats of a group's result
     */
    void group(long x, long y, int groups, int step, int c, int width, int[] picks, int lanes, float divisor);
}
