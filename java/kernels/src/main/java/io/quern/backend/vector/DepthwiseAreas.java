package io.quern.backend.vector;

import java.util.ArrayList;
import java.util.List;

/**
 * The rectangles in which {@link ConvDepthwise} computes results, for one geometry. Those of an inner rectangle find their
 * sources in place; those at borders, or all of a small image, in slabs: copies of the sources with the padding around
 * them, one per vector of channels, pixel beside pixel.
 */
final class DepthwiseAreas {
    /** Vectors whose slabs are filled together: long runs of memory. */
    static final int TOGETHER = 4;
    /** If a smaller part of results has sources that sources all lie inside, slabs serve them all. */
    private static final double INNER = 0.6;
    /** Bytes of a slab, where one row of results does not take more; rows that one task does in place. */
    private static final long SLAB = 64 << 10;

    private static final int BAND = 16;

    /**
     * Results (p, q) .. (p + rows, q + columns).
     *
     * @param inside whether the sources are read in place
     */
    record Area(int p, int rows, int q, int columns, boolean inside) {}

    private final ConvAxis h, w;
    private final int reach, vectors;
    private final long pixel;
    private final List<Area> areas = new ArrayList<>();
    /** Bytes from one slab to the next. */
    private final long slab;

    /**
     * @param reach sources of a result along each axis, without gaps
     * @param columns results of a row, {@code rows} of them in an image
     */
    DepthwiseAreas(ConvAxis h, ConvAxis w, int rows, int columns, int reach, int vectors, boolean inPlace) {
        this.h = h;
        this.w = w;
        this.reach = reach;
        this.vectors = vectors;
        pixel = (long) vectors * Lanes.BYTES;
        int top = first(h, rows), bottom = last(h, rows), left = first(w, columns), right = last(w, columns);
        if (inPlace && (double) (bottom - top) * (right - left) >= INNER * rows * columns) {
            bands(top, bottom, left, right, true);
            bands(0, top, 0, columns, false);
            bands(bottom, rows, 0, columns, false);
            bands(top, bottom, 0, left, false);
            bands(top, bottom, right, columns, false);
        } else {
            bands(0, rows, 0, columns, false);
        }
        slab = areas.stream()
                .mapToLong(a -> a.inside() ? 0 : (long) reach(h, a.rows()) * rowBytes(a))
                .max()
                .orElse(0);
    }

    private int first(ConvAxis axis, int results) {
        return Math.clamp(Math.ceilDiv(-axis.low(), axis.stride()), 0, results);
    }

    private int last(ConvAxis axis, int results) {
        return Math.clamp(
                Math.floorDiv(axis.sources() - reach - axis.low(), axis.stride()) + 1L, first(axis, results), results);
    }

    private int reach(ConvAxis axis, int results) {
        return (results - 1) * axis.stride() + reach;
    }

    private void bands(int p, int end, int q, int right, boolean inside) {
        if (p >= end || q >= right) {
            return;
        }
        long row = (long) reach(w, right - q) * Lanes.BYTES;
        int most = inside ? BAND : (int) Math.max(1, (SLAB / row - reach) / h.stride() + 1);
        int count = (end - p + most - 1) / most;
        for (int i = 0; i < count; i++) {
            int from = p + (end - p) * i / count, to = p + (end - p) * (i + 1) / count;
            areas.add(new Area(from, to - from, q, right - q, inside));
        }
    }

    /** Groups of vectors that share the filling of their slabs. */
    int groups() {
        return (vectors + TOGETHER - 1) / TOGETHER;
    }

    /** Vectors of a group. */
    int vectors(int group) {
        return Math.min(TOGETHER, vectors - group * TOGETHER);
    }

    int count() {
        return areas.size();
    }

    Area area(int i) {
        return areas.get(i);
    }

    /** Bytes of memory that {@link #open} writes to. */
    long bytes() {
        return Math.min(TOGETHER, vectors) * slab;
    }

    /** Bytes from one source of a row to the next. */
    long tap(Area area) {
        return area.inside() ? pixel : Lanes.BYTES;
    }

    /** Bytes from one row of sources to the next. */
    long rowBytes(Area area) {
        return area.inside() ? w.sources() * pixel : (long) reach(w, area.columns()) * Lanes.BYTES;
    }

    /** Bytes from the sources of one vector of channels to those of the next. */
    long vectorBytes(Area area) {
        return area.inside() ? Lanes.BYTES : slab;
    }

    /**
     * Where the sources of an area and the first vector of a group begin.
     *
     * @param source image n
     * @param slabs where to copy them, unless they are read in place
     */
    long open(Area area, long source, int group, long slabs) {
        int top = area.p() * h.stride() + h.low(), left = area.q() * w.stride() + w.low();
        long base = source + (long) group * TOGETHER * Lanes.BYTES, line = w.sources() * pixel;
        if (area.inside()) {
            return base + top * line + left * pixel;
        }
        int high = reach(h, area.rows()), wide = reach(w, area.columns());
        int above = Math.clamp(-top, 0, high), rows = Math.clamp(h.sources() - top, above, high) - above;
        int before = Math.clamp(-left, 0, wide), columns = Math.clamp(w.sources() - left, before, wide) - before;
        long row = rowBytes(area);
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
