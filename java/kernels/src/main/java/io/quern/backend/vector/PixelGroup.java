package io.quern.backend.vector;

import io.quern.op.PoolGeometry;

/**
 * Result pixels that share a vector where a pixel's channels fill at most half of one.
 *
 * <p>The image pixels that meet one tap of neighbouring windows lie strideW pixels apart, within two neighbouring vectors;
 * {@code picks} are the lanes of these two to take.
 *
 * @param pixels how many result pixels share a vector; below 2 there is nothing to gain
 */
record PixelGroup(int pixels, int[] picks) {
    private static final PixelGroup NONE = new PixelGroup(1, new int[0]);

    static PixelGroup of(int c, PoolGeometry geometry) {
        if (c == 0 || c > Lanes.FLOATS / 2) {
            return NONE;
        }
        long step = (long) geometry.strideW() * c;
        int pixels = (int) Math.min(Lanes.FLOATS / c, (2 * Lanes.FLOATS - c) / step + 1);
        int[] picks = new int[Lanes.FLOATS];
        for (int lane = 0; lane < pixels * c; lane++) {
            picks[lane] = (int) (lane / c * step) + lane % c;
        }
        return new PixelGroup(pixels, picks);
    }
}
