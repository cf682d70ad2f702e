package io.quern.backend.vector;

/**
 * The bands of rows in which {@link ConvDepthwise} spreads the gradient of a stride 2, for one geometry. Each finds its sources
 * in slabs: copies of them with the padding around them, one per vector of channels, pixel beside pixel.
 */
final class DepthwiseAreas {
    /** Vectors whose slabs are filled together: long runs of memory. */
    static final int TOGETHER = 4;
    /** Sources of a result along each axis. */
    private static final int REACH = 2;
    /** Bytes of a slab, where one row of results does not take more. */
    private static final long SLAB = 64 << 10;

    /** Rows p .. p + rows of results. */
    record Area(int p, int rows) {}

    private final ConvAxis h, w;
    private final int vectors, count;
    private final long pixel;

    DepthwiseAreas(ConvAxis h, ConvAxis w, int vectors) {
        this.h = h;
        this.w = w;
        this.vectors = vectors;
        pixel = (long) vectors * Lanes.BYTES;
        int most = (int) Math.max(1, (SLAB / Math.max(1, rowBytes()) - REACH) / h.stride() + 1);
        count = w.results() == 0 ? 0 : Math.ceilDiv(h.results(), most);
    }

    private int reach(ConvAxis axis, int results) {
        return (results - 1) * axis.stride() + REACH;
    }

    /** Groups of vectors that share the filling of their slabs. */
    int groups() {
        return Math.ceilDiv(vectors, TOGETHER);
    }

    /** Vectors of a group. */
    int vectors(int group) {
        return Math.min(TOGETHER, vectors - group * TOGETHER);
    }

    int count() {
        return count;
    }

    Area area(int i) {
        int from = (int) ((long) h.results() * i / count), to = (int) ((long) h.results() * (i + 1) / count);
        return new Area(from, to - from);
    }

    /** Bytes of memory that {@link #open} writes to. */
    long bytes() {
        return Math.min(TOGETHER, vectors) * vectorBytes();
    }

    /** Bytes from one row of sources to the next. */
    long rowBytes() {
        return (long) reach(w, w.results()) * Lanes.BYTES;
    }

    /** Bytes from the sources of one vector of channels to those of the next. */
    long vectorBytes() {
        return count == 0 ? 0 : reach(h, Math.ceilDiv(h.results(), count)) * rowBytes();
    }

    /**
     * Where the sources of an area and the first vector of a group begin.
     *
     * @param source image n
     * @param slabs where to copy them
     */
    long open(Area area, long source, int group, long slabs) {
        int top = area.p() * h.stride() + h.low(), left = w.low();
        long base = source + (long) group * TOGETHER * Lanes.BYTES, line = w.sources() * pixel;
        int high = reach(h, area.rows()), wide = reach(w, w.results());
        int above = Math.clamp(-top, 0, high), rows = Math.clamp(h.sources() - top, above, high) - above;
        int before = Math.clamp(-left, 0, wide), columns = Math.clamp(w.sources() - left, before, wide) - before;
        long row = rowBytes(), slab = vectorBytes();
        for (int v = 0; v < vectors(group); v++) {
            long to = slabs + v * slab, inner = to + above * row;
            DepthwiseCopies.zero(to, row, above, wide);
            DepthwiseCopies.zero(inner, row, rows, before);
            DepthwiseCopies.zero(inner + (long) (before + columns) * Lanes.BYTES, row, rows, wide - before - columns);
            DepthwiseCopies.zero(inner + rows * row, row, high - above - rows, wide);
        }
        long from = base + (top + above) * line + (left + before) * pixel;
        long to = slabs + above * row + (long) before * Lanes.BYTES;
        DepthwiseCopies.gather(from, pixel, line, rows, columns, vectors(group), to, row, slab);
        return slabs;
    }
}
