package io.quern.backend.vector;

import io.quern.op.PoolGeometry;

/** Rows of windows over an image: those between its ends are taken together, those that an end cuts off one by one. */
final class MaxPoolRows {
    private final long x;
    private final PoolGeometry geometry;
    private final int h;
    private final int w;
    private final int q;
    private final int c;
    /** Windows {@code whole <= j < wholeEnd} lie between the left and the right end of the image. */
    private final int whole;

    private final int wholeEnd;
    /** Image rows before this one were looked at. */
    private int seen;
    /** The last of them that may hold NaN. */
    private int nan = -1;

    MaxPoolRows(long x, PoolGeometry geometry, int h, int w, int q, int c) {
        this.x = x;
        this.geometry = geometry;
        this.h = h;
        this.w = w;
        this.q = q;
        this.c = c;
        whole = Math.min(q, Math.ceilDiv(geometry.paddingW(), geometry.strideW()));
        int end = Math.floorDiv(w + geometry.paddingW() - geometry.windowW(), geometry.strideW()) + 1;
        wholeEnd = Math.clamp(end, whole, q);
    }

    /**
     * The taps of a row of windows of 3 x 3. While it compares, it looks at the image rows that the next one needs, so that
     * memory works too.
     *
     * @param next whether there will be a next one
     */
    void find(int i, MaxPoolTaps taps, boolean next) {
        int firstRow = geometry.firstRow(i);
        int endRow = geometry.endRow(i, h);
        look(Math.max(seen, firstRow), endRow, 0);
        if (endRow - firstRow < 3 || nan >= firstRow || wholeEnd == whole) {
            find(i, taps);
            return;
        }
        edges(i, taps, 0);
        long rowBytes = 4L * w * c;
        int vectors = (wholeEnd - whole) * (c / Lanes.FLOATS);
        int until = next ? geometry.endRow(i + 1, h) : endRow;
        long ahead = (long) (until - endRow) * w * c / Lanes.FLOATS;
        int each = ahead >= 4L * vectors ? 4 : ahead >= vectors ? 1 : 0;
        boolean clean = taps.nine(
                x + firstRow * rowBytes + 4L * geometry.firstColumn(whole) * c,
                rowBytes,
                whole * (c / Lanes.FLOATS),
                vectors,
                x + (each == 0 ? firstRow : endRow) * rowBytes,
                each);
        nan = clean ? nan : until - 1;
        look(endRow, until, (long) each * vectors * Lanes.FLOATS);
    }

    /**
     * The taps of a row of windows of 3 x 3 with stride 2, and the gradients of the first two of its image rows.
     *
     * @param taps written
     * @param above the row of windows before; its taps must be found
     * @param dy gradients of this row of windows
     * @param dx the image's gradient
     * @return false, and worthless results, if windows do not lie in the image, or hold what is not finite
     */
    boolean gather(int i, MaxPoolTaps taps, MaxPoolGather.Source above, long dy, long dx, MaxPoolGather ends) {
        int firstRow = geometry.firstRow(i);
        int padding = geometry.paddingW();
        int from = Math.max(1, whole);
        if (2 * i < geometry.paddingH() || geometry.endRow(i, h) - firstRow < 3 || wholeEnd <= from) {
            return false;
        }
        look(Math.max(seen, firstRow), firstRow + 1, 0);
        if (nan >= firstRow) {
            return false;
        }
        long rowBytes = 4L * w * c;
        long offset = firstRow * rowBytes;
        MaxPoolGather.Source own = new MaxPoolGather.Source(dy, taps.tap(), 0);
        MaxPoolPairs pairs = new MaxPoolPairs(x + offset, dx + offset, rowBytes, above, own, c);
        // columns left and right of these windows' first two
        int left = 2 * from - padding;
        int right = 2 * wholeEnd - padding;
        boolean byFirst = padding == 1;
        boolean byLast = wholeEnd == q && right == w - 1;
        edges(i, taps, byFirst ? 1 : 0);
        if (whole < 1) {
            find(i, taps, 0, 1);
        }
        boolean finite = byFirst ? pairs.first() : noNaN(firstRow + 1, 0, left + 1);
        finite &= pairs.windows(from, wholeEnd - from, left);
        finite &= noNaN(firstRow + 1, right + 1, w);
        seen = Math.max(seen, firstRow + 3);
        if (!finite) {
            nan = firstRow + 2;
            return false;
        }
        if (!byFirst) {
            ends.pixels(dx + offset, 0, left, above, own);
            ends.pixels(dx + offset + rowBytes, 0, left, own.from(3));
        }
        if (byLast) {
            pairs.last(q - 1, right);
        } else {
            ends.pixels(dx + offset, right, w, above, own);
            ends.pixels(dx + offset + rowBytes, right, w, own.from(3));
        }
        return true;
    }

    /** Whether some columns of two image rows hold no NaN. */
    private boolean noNaN(int row, int from, int end) {
        long at = x + 4L * ((long) row * w + from) * c;
        int elements = Math.max(0, end - from) * c;
        return !MaxPoolTaps.hasNaN(at, elements) && !MaxPoolTaps.hasNaN(at + 4L * w * c, elements);
    }

    /** Looks for NaN in image rows, but not at the first elements. */
    private void look(int from, int to, long elements) {
        for (int row = from; row < to; row++) {
            long done = Math.clamp(elements - (long) (row - from) * w * c, 0, (long) w * c);
            if (MaxPoolTaps.hasNaN(x + 4L * ((long) row * w * c + done), (int) (w * c - done))) {
                nan = row;
            }
        }
        seen = Math.max(seen, to);
    }

    /** The taps of a row of windows. */
    void find(int i, MaxPoolTaps taps) {
        edges(i, taps, 0);
        if (wholeEnd > whole) {
            find(i, taps, whole, wholeEnd - whole);
        }
    }

    /** The windows from j on that an end of the image cuts off. */
    private void edges(int i, MaxPoolTaps taps, int from) {
        for (int j = from; j < q; j++) {
            if (j < whole || j >= wholeEnd) {
                find(i, taps, j, 1);
            }
        }
    }

    private void find(int i, MaxPoolTaps taps, int j, int count) {
        int firstRow = geometry.firstRow(i);
        int column = geometry.firstColumn(j);
        int first = j * (c / Lanes.FLOATS);
        int vectors = count * (c / Lanes.FLOATS);
        int number = number(i, j, firstRow);
        long at = x + 4L * ((long) firstRow * w + column) * c;
        taps.start(at, first, vectors, number);
        for (int row = firstRow; row < geometry.endRow(i, h); row++) {
            taps.compare(at, first, vectors, geometry.endColumn(j, w) - column, number);
            number += geometry.windowW();
            at += 4L * w * c;
        }
    }

    /** Sends the gradients of a row of windows to their taps in one image row. */
    void send(int i, MaxPoolTaps taps, long dy, long dx, int row) {
        for (int j = 0, count; j < q; j += count) {
            count = j == whole ? Math.max(1, wholeEnd - whole) : 1;
            int column = geometry.firstColumn(j);
            taps.add(
                    dy,
                    dx + 4L * column * c,
                    j * (c / Lanes.FLOATS),
                    count * (c / Lanes.FLOATS),
                    geometry.endColumn(j, w) - column,
                    number(i, j, row));
        }
    }

    /** That of the first tap of window (i, j) in an image row. */
    private int number(int i, int j, int row) {
        int above = row - (i * geometry.strideH() - geometry.paddingH());
        int left = geometry.firstColumn(j) - (j * geometry.strideW() - geometry.paddingW());
        return above * geometry.windowW() + left;
    }
}
