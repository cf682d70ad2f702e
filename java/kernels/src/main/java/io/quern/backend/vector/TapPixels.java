package io.quern.backend.vector;

import io.quern.op.Conv2dGeometry;

/** The pixels of an image that one tap of a filter meets, copied together: what a product takes for a tap. */
final class TapPixels {
    private TapPixels() {}

    /**
     * Copies what tap (r, s) meets of some neighbouring pixels of the result, counted through all images; zeros outside the image.
     *
     * @param image the first channel to copy of the first pixel of the first image
     * @param first the number of the first pixel of the result
     * @param bytes how much of each pixel
     * @param pitch bytes from pixel to pixel of the copy
     */
    static void copy(ConvShape shape, long image, int first, int count, int r, int s, long bytes, long to, long pitch) {
        Conv2dGeometry geometry = shape.geometry();
        int left = s * geometry.dilationW() - geometry.paddingW();
        long pixel = (long) shape.c() * Float.BYTES;
        for (int p = first, run; p < first + count; p += run) {
            int q = p % shape.q(), row = p / shape.q();
            run = Math.min(shape.q() - q, first + count - p);
            int y = row % shape.p() * geometry.strideH() + r * geometry.dilationH() - geometry.paddingH();
            boolean inside = y >= 0 && y < shape.h();
            long line = image + ((long) row / shape.p() * shape.h() + y) * shape.w() * pixel;
            for (int i = q; i < q + run; i++, to += pitch) {
                int x = i * geometry.strideW() + left;
                if (inside && x >= 0 && x < shape.w()) {
                    Copies.copy(line + x * pixel, to, bytes);
                } else {
                    Copies.zero(to, bytes);
                }
            }
        }
    }
}
