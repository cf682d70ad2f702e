package io.quern.backend.vector;

import static io.quern.backend.vector.WinogradTransforms.SIDE;

/**
 * Tiles of 6x6 source pixels, transformed for Winograd's products. Tiles are numbered along the rows of tiles of each image;
 * outside the image there are zeros.
 */
final class WinogradSource {
    /** Tiles along a row whose columns are transformed together. */
    static final int RUN = 16;
    /** Bytes of memory that {@link #transform} works in. */
    static final long BUFFER = (long) SIDE * (4 * RUN + 2) * Lanes.BYTES;

    private final ConvAxis h, w;
    private final int depth, down, across;
    /** Pixels from a tile to the next. */
    private final int hop;

    WinogradSource(ConvAxis h, ConvAxis w, int depth, int hop) {
        this.hop = hop;
        this.h = h;
        this.w = w;
        this.depth = depth;
        down = (h.results() + hop - 1) / hop;
        across = (w.results() + hop - 1) / hop;
    }

    /** Bytes of zeros that stand for a row outside the image. */
    long zeroBytes() {
        return (long) (4 * RUN + 2) * depth * Float.BYTES;
    }

    /** Transforms tiles {@code from .. from + count}: value p of tile t to {@code to + t * 4 depth + p point}. */
    void transform(long source, long zeros, int from, int count, long to, long point, long buffer) {
        for (int tile = from; tile < from + count; ) {
            int column = tile % across;
            int run = Math.min(Math.min(RUN, across - column), from + count - tile);
            long target = to + (long) (tile - from) * depth * Float.BYTES;
            row(source, zeros, tile / across / down, tile / across % down, column, run, target, point, buffer);
            tile += run;
        }
    }

    /** Transforms neighbouring tiles of a row of tiles. */
    private void row(
            long source,
            long zeros,
            int image,
            int tileRow,
            int tileColumn,
            int run,
            long to,
            long point,
            long buffer) {
        long pixel = (long) depth * Float.BYTES;
        int x = tileColumn * hop + w.low(), count = run * hop + SIDE - hop;
        int left = Math.clamp(-(long) x, 0, count);
        int live = Math.clamp((long) w.sources() - x, left, count) - left;
        long[] rows = new long[SIDE];
        for (int i = 0; i < SIDE; i++) {
            int y = tileRow * hop + h.low() + i;
            rows[i] = y < 0 || y >= h.sources()
                    ? zeros
                    : source + (((long) image * h.sources() + y) * w.sources() + x) * pixel;
        }
        if (WinogradCode.takes()) {
            WinogradCode.source(SIDE + 1 - hop, rows, pixel, run, left, live, to, point);
            return;
        }
        long line = (long) count * Lanes.BYTES;
        for (int i = 0; i < SIDE; i++) {
            long at = buffer + i * line;
            Copies.zero(at, (long) left * Lanes.BYTES);
            Copies.zero(at + (long) (left + live) * Lanes.BYTES, (long) (count - left - live) * Lanes.BYTES);
        }
        for (long first = left * pixel, d = first; d < first + pixel; d += Lanes.BYTES) {
            WinogradTransforms.sourceColumns(
                    rows[0] + d,
                    rows[1] + d,
                    rows[2] + d,
                    rows[3] + d,
                    rows[4] + d,
                    rows[5] + d,
                    pixel,
                    live,
                    buffer + (long) left * Lanes.BYTES,
                    line);
            WinogradTransforms.sourceRows(buffer, line, hop, run, to + d - first, pixel, point);
        }
    }
}
