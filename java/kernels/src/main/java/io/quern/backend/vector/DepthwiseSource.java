package io.quern.backend.vector;

/**
 * Images whose pixels a depthwise convolution reads in place, and the memory that stands for what is not there.
 *
 * @param padH rows of zeros above
 * @param pixel bytes from one pixel to the next
 * @param zeros a row of pixels that are zero: all that is read of them
 * @param spare a row of results that nobody reads
 */
record DepthwiseSource(int high, int wide, int padH, int padW, long pixel, long zeros, long spare) {
    /** Row {@code r}, counted from the first row of zeros above the image at {@code first}. */
    long row(long first, int r) {
        int y = r - padH;
        // Without branches: images of few rows mispredict them.
        long outside = (y | high - 1 - y) >> Integer.SIZE - 1;
        return first + (zeros - first & outside) + ((long) y * wide * pixel & ~outside);
    }
}
