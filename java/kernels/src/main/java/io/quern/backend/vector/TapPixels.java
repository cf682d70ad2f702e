package io.quern.backend.vector;

import io.quern.op.Conv2dGeometry;

/** The pixels of an image that one tap of a filter meets, copied together: what a product takes for a tap. */
final class TapPixels {
    private TapPixels() {}

    /**
     * Copies what tap (r, s) meets of some neighbouring pixels of the result, counted through all images; zeros outside the image.
     * Without dilation, what follows the channels of a tap in memory are those of its neighbour.
     *
     * @param image the first channel of the first pixel of the first image
     * @param first the number of the first pixel of the result
     * @param skipped bytes of each pixel before those to copy
     * @param bytes how much to copy of each pixel, or of it and those behind it in its row
     * @param pitch bytes from pixel to pixel of the copy
     */
    static void copy(
            ConvShape shape,
            long image,
            int first,
            int count,
            int r,
            int s,
            long skipped,
            long bytes,
            long to,
            long pitch) {
        if (bytes == 0) {
            return;
        }
        Conv2dGeometry geometry = shape.geometry();
        long pixel = (long) shape.c() * Float.BYTES, width = shape.w() * pixel, step = geometry.strideW() * pixel;
        long left = (s * geometry.dilationW() - geometry.paddingW()) * pixel + skipped;
        for (int p = first, run; p < first + count; p += run) {
            int q = p % shape.q(), row = p / shape.q();
            run = Math.min(shape.q() - q, first + count - p);
            int y = row % shape.p() * geometry.strideH() + r * geometry.dilationH() - geometry.paddingH();
            boolean inside = y >= 0 && y < shape.h();
            long line = image + ((long) row / shape.p() * shape.h() + y) * width, x = q * step + left;
            // what lies outside the row before and behind
            int before = inside ? Math.clamp(Math.ceilDiv(-x, step), 0, run) : run;
            int end = inside ? Math.clamp(Math.floorDiv(width - bytes - x, step) + 1, before, run) : run;
            partial(line, x, step, before, inside ? width : 0, bytes, to, pitch);
            Copies.pieces(line + x + before * step, step, end - before, bytes, to + before * pitch, pitch);
            partial(line, x + end * step, step, run - end, width, bytes, to + end * pitch, pitch);
            to += run * pitch;
        }
    }

    /** Pieces of a row of {@code width} bytes that begin before it or end behind it. */
    private static void partial(long line, long x, long step, int count, long width, long bytes, long to, long pitch) {
        for (int i = 0; i < count; i++, x += step, to += pitch) {
            long from = Math.clamp(-x, 0, bytes), end = Math.clamp(width - x, from, bytes);
            Copies.zero(to, from);
            Copies.copy(line + x + from, to + from, end - from);
            Copies.zero(to + end, bytes - end);
        }
    }
}
