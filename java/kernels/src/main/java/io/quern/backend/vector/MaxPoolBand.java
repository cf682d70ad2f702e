package io.quern.backend.vector;

import io.quern.op.PoolGeometry;

/**
 * Some rows of an image's gradient, for channels that are a multiple of a vector.
 *
 * @param x the image
 * @param dy gradients of its windows
 * @param dx the image's gradient
 * @param h rows of the image
 * @param w pixels of a row
 * @param p rows of windows
 * @param q windows of a row
 */
record MaxPoolBand(
        long x, long dy, long dx, PoolGeometry geometry, int h, int w, int p, int q, int c, Scratch scratch) {
    /** Rows of windows that reach into one image row, at most, where they are gathered. */
    private static final int SOURCES = 3;

    void run(int top, int bottom, boolean beyondCaches) {
        if (MaxPoolGather.fits(geometry)) {
            gather(top, bottom);
        } else {
            send(top, bottom, beyondCaches);
        }
    }

    /** Taps whose rows lie {@code rows} times one behind the other; room for the largest elements and a spare row. */
    private MaxPoolTaps[] taps(int rows, long spareBytes) {
        long bytes = 4L * q * c;
        long best = scratch.address((rows + 1) * bytes + spareBytes);
        MaxPoolTaps[] taps = new MaxPoolTaps[rows];
        for (int r = 0; r < rows; r++) {
            taps[r] = new MaxPoolTaps(
                    best, best + (r + 1) * bytes, best + (rows + 1) * bytes, c, 4L * c * (geometry.strideW() - 1L));
        }
        return taps;
    }

    /** Row by row, each from the taps of all windows that reach into it. */
    private void gather(int top, int bottom) {
        long rowBytes = 4L * w * c;
        long windowBytes = 4L * q * c;
        boolean touching = geometry.strideH() == 1;
        MaxPoolTaps[] ring = taps(SOURCES + 1, 0);
        MaxPoolGather.Source none = new MaxPoolGather.Source(dy, ring[SOURCES].tap(), 0);
        FillVector.fill(none.tap(), q * c, -1);
        MaxPoolRows image = new MaxPoolRows(x, geometry, h, w, q, c);
        int found = geometry.firstWindowOfRow(top);
        int end = geometry.endWindowOfRow(bottom - 1, p);
        MaxPoolGather gather = new MaxPoolGather(geometry, w, q, c);
        for (int row = top; row < bottom; row++) {
            int first = geometry.firstWindowOfRow(row);
            int behind = geometry.endWindowOfRow(row, p);
            boolean begins = !touching && found < end && row == geometry.firstRow(found) && row + 1 < bottom;
            if (begins) {
                // the row of windows before, if one reaches here
                MaxPoolGather.Source above = first < found ? source(found - 1, ring, 6) : none;
                if (image.gather(found, ring[found % SOURCES], above, dy + found * windowBytes, dx, gather)) {
                    found++;
                    row++;
                    continue;
                }
            }
            for (; found < behind; found++) {
                image.find(found, ring[found % SOURCES], found + 1 < end);
            }
            if (first >= behind) {
                Copies.zero(dx + row * rowBytes, rowBytes);
                continue;
            }
            MaxPoolGather.Source[] sources = new MaxPoolGather.Source[touching ? SOURCES : behind - first];
            for (int s = 0; s < sources.length; s++) {
                int i = first + s;
                int tap = (row - i * geometry.strideH() + geometry.paddingH()) * geometry.windowW();
                sources[s] = i < behind ? source(i, ring, tap) : none;
            }
            gather.row(dx + row * rowBytes, sources);
        }
    }

    private MaxPoolGather.Source source(int i, MaxPoolTaps[] ring, int tap) {
        return new MaxPoolGather.Source(dy + 4L * i * q * c, ring[i % SOURCES].tap(), tap);
    }

    /** By rows of windows, which send their gradients to their taps; an image row is cleared when the first one reaches it. */
    private void send(int top, int bottom, boolean beyondCaches) {
        long rowBytes = 4L * w * c;
        MaxPoolTaps taps = taps(1, rowBytes)[0];
        MaxPoolRows image = new MaxPoolRows(x, geometry, h, w, q, c);
        int cleared = top;
        int read = beyondCaches ? 0 : h;
        int end = geometry.endWindowOfRow(bottom - 1, p);
        for (int i = geometry.firstWindowOfRow(top); i < end; i++) {
            int firstRow = geometry.firstRow(i);
            int endRow = geometry.endRow(i, h);
            int until = Math.clamp(endRow, cleared, bottom);
            Copies.zero(dx + cleared * rowBytes, (until - cleared) * rowBytes);
            cleared = until;
            // in order first: the windows read a row a few pixels here and there, which no prefetching follows
            for (read = Math.max(read, firstRow); read < endRow; read++) {
                Copies.copy(x + read * rowBytes, taps.spare(), rowBytes);
            }
            image.find(i, taps);
            for (int row = Math.max(top, firstRow); row < until; row++) {
                image.send(i, taps, dy + 4L * i * q * c, dx + row * rowBytes, row);
            }
        }
        Copies.zero(dx + cleared * rowBytes, (bottom - cleared) * rowBytes);
    }
}
