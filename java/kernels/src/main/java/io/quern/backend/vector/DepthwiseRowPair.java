package io.quern.backend.vector;

/**
 * Two rows of the gradient by the image of a depthwise convolution of stride 2, for one vector of channels.
 *
 * @param row bytes from one row of dy's slab to the next
 * @param filter nine vectors
 * @param image of {@code high x wide} pixels, {@code pixel} bytes apart
 * @param spare room for four vectors
 */
record DepthwiseRowPair(long row, long filter, long image, int high, int wide, long pixel, long spare) {
    /** Blocks of 2x2 from (y, x), of which those at the ends may stick out; {@code from} is what the first one meets. */
    void run(long from, int y, int x, int blocks) {
        int start = x < 0 ? 1 : 0, end = x + 2 * blocks > wide ? blocks - 1 : blocks;
        if (end > start) {
            long to = image + ((long) y * wide + x + 2 * start) * pixel, next = to + wide * pixel;
            boolean upper = y >= 0, lower = y + 1 < high;
            long first = from + (long) start * Lanes.BYTES, step = upper ? pixel : 0, nextStep = lower ? pixel : 0;
            DepthwiseSpread.spread(
                    first, row, filter, end - start, upper ? to : spare, step, lower ? next : spare, nextStep);
        }
        if (start == 1) {
            end(from, y, x);
        }
        if (end < blocks && end >= start) {
            end(from + (long) end * Lanes.BYTES, y, x + 2 * end);
        }
    }

    /** One block, of which those pixels are kept that lie inside. */
    private void end(long from, int y, int x) {
        DepthwiseSpread.spread(from, row, filter, 1, spare, Lanes.BYTES, spare + 2L * Lanes.BYTES, Lanes.BYTES);
        for (int i = 0; i < 4; i++) {
            int down = y + i / 2, across = x + i % 2;
            if (down >= 0 && down < high && across >= 0 && across < wide) {
                long to = image + ((long) down * wide + across) * pixel;
                Copies.copy(spare + (long) i * Lanes.BYTES, to, Lanes.BYTES);
            }
        }
    }
}
