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

    /** The taps of a row of windows of 3 x 3. */
    void findNine(int i, MaxPoolTaps taps) {
        if (!inside(i) || !free(i, 3)) {
            find(i, taps);
            return;
        }
        cut(i, taps);
        taps.nine(
                x + 4L * ((long) geometry.firstRow(i) * w + geometry.firstColumn(whole)) * c,
                4L * w * c,
                whole * (c / Lanes.FLOATS),
                (wholeEnd - whole) * (c / Lanes.FLOATS));
    }

    /**
     * The taps of a row of windows of 3 x 3 with stride 2, and the gradients of the first two of its image rows.
     *
     * @param taps written
     * @param above the row of windows before, found
     * @param dy gradients of this row of windows
     * @param dx the image's gradient
     * @return false, and no result or a worthless one, if the image rows may hold NaN, for windows of which not all rows lie in
     *     the image, and for the first two rows of windows if there is no padding on the left
     */
    boolean pairs(int i, MaxPoolTaps taps, MaxPoolGather.Source above, long dy, long dx) {
        // gradients of the window before the first one are read, of the row above too
        if (!inside(i) || whole == 0 && i < 2 || !free(i, 1)) {
            return false;
        }
        cut(i, taps);
        int row = geometry.firstRow(i);
        long offset = 4L * row * w * c;
        MaxPoolPairs pairs =
                new MaxPoolPairs(x + offset, dx + offset, 4L * w * c, taps.tap(), dy, above.tap(), above.dy(), c);
        int padding = geometry.paddingW();
        int left = 2 * whole - padding;
        int right = 2 * wholeEnd - padding;
        boolean finite = pairs.windows(whole, wholeEnd - whole, left);
        if (!noted(row + 1, row + 3, left + 1, right + 1, finite)) {
            return false;
        }
        pairs.columns(0, left, geometry, q);
        pairs.columns(right, w, geometry, q);
        return true;
    }

    /** Looks for NaN in the first two image rows of a row of windows; true if {@link #triples} can be called. */
    boolean prepareTriples(int i) {
        // gradients of the two windows before the first one are read
        return inside(i) && (whole >= 2 || i >= 1) && q >= 2 && free(i, 2);
    }

    /**
     * The taps of a row of windows of 3 x 3 with stride 1, and their share of the gradients of its image rows.
     *
     * @param taps written
     * @param dy gradients of this row of windows
     * @param dx the image's gradient, the first two of these rows with the shares of all windows before
     * @return false, and worthless results, if the last image row may hold NaN
     */
    boolean triples(int i, MaxPoolTaps taps, long dy, long dx) {
        cut(i, taps);
        int row = geometry.firstRow(i);
        long offset = 4L * row * w * c;
        MaxPoolTriples triples = new MaxPoolTriples(x + offset, dx + offset, 4L * w * c, taps.tap(), dy, c);
        // the first whole window begins in column 0: where one is inside, whole is the padding
        int right = wholeEnd - geometry.paddingW();
        boolean finite = triples.windows(whole, wholeEnd - whole, 0);
        if (!noted(row + 2, row + 3, 2, right + 2, finite)) {
            return false;
        }
        triples.columns(right, w, geometry, q);
        return true;
    }

    /** Whether all rows of a row of windows lie in the image, and some windows as a whole. */
    private boolean inside(int i) {
        return wholeEnd > whole
                && i * geometry.strideH() >= geometry.paddingH()
                && geometry.endRow(i, h) - geometry.firstRow(i) == geometry.windowH();
    }

    /** Whether the first image rows of a row of windows are known to hold no NaN; looks at those not yet seen. */
    private boolean free(int i, int rows) {
        int from = geometry.firstRow(i);
        for (int row = Math.max(seen, from); row < from + rows; row++) {
            note(row, MaxPoolTaps.hasNaN(x + 4L * row * w * c, w * c));
        }
        return nan < from;
    }

    /**
     * Notes whether image rows may hold NaN.
     *
     * @param finite whether the columns from left to right are
     * @return whether they are, and the other columns without NaN
     */
    private boolean noted(int from, int end, int left, int right, boolean finite) {
        boolean all = finite;
        for (int row = from; row < end; row++) {
            long at = x + 4L * row * w * c;
            all &= !MaxPoolTaps.hasNaN(at, left * c);
            all &= right >= w || !MaxPoolTaps.hasNaN(at + 4L * right * c, (w - right) * c);
        }
        note(end - 1, !all);
        return all;
    }

    private void note(int row, boolean suspect) {
        seen = Math.max(seen, row + 1);
        nan = suspect ? row : nan;
    }

    /** The taps of the windows of 3 x 3 that the left and the right end of the image cut off. */
    private void cut(int i, MaxPoolTaps taps) {
        int row = geometry.firstRow(i);
        for (int j = whole == 0 ? wholeEnd : 0; j < q; j = j + 1 == whole ? wholeEnd : j + 1) {
            int column = geometry.firstColumn(j);
            if (geometry.endColumn(j, w) - column == 2) {
                taps.six(x + 4L * ((long) row * w + column) * c, 4L * w * c, j, number(i, j, row));
            } else {
                find(i, taps, j, 1);
            }
        }
    }

    /** The taps of a row of windows. */
    void find(int i, MaxPoolTaps taps) {
        for (int j = 0, count; j < q; j += count) {
            count = j == whole ? Math.max(1, wholeEnd - whole) : 1;
            find(i, taps, j, count);
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
