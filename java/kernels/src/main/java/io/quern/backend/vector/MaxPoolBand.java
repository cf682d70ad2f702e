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
    /** Windows before a row's first, whose taps are none. */
    private static final int FRONT = 2;

    void run(int top, int bottom, boolean beyondCaches) {
        if (MaxPoolGather.fits(geometry)) {
            gather(top, bottom);
        } else {
            send(top, bottom, beyondCaches);
        }
    }

    /** Rows of taps with room for two windows more in front; and room for the largest elements and {@code spareBytes}. */
    private MaxPoolTaps[] taps(int rows, long spareBytes) {
        long bytes = 4L * (FRONT + q) * c;
        long best = scratch.address((rows + 1) * bytes + spareBytes);
        MaxPoolTaps[] taps = new MaxPoolTaps[rows];
        for (int r = 0; r < rows; r++) {
            long tap = best + (r + 1) * bytes + 4L * FRONT * c;
            taps[r] = new MaxPoolTaps(best, tap, best + (rows + 1) * bytes, c, 4L * c * (geometry.strideW() - 1L));
        }
        return taps;
    }

    /** The rows of windows found last, the i-th in taps[i % SOURCES], and behind them one that has no taps. */
    private record Ring(MaxPoolTaps[] taps, long dy, int q, int c) {
        Ring {
            for (MaxPoolTaps row : taps) {
                FillVector.fill(row.tap() - 4L * FRONT * c, FRONT * c, -1);
            }
            FillVector.fill(taps[SOURCES].tap(), q * c, -1);
        }

        MaxPoolTaps taps(int i) {
            return taps[i % SOURCES];
        }

        long dy(int i) {
            return dy + 4L * i * q * c;
        }

        MaxPoolGather.Source none() {
            return new MaxPoolGather.Source(dy, taps[SOURCES].tap(), 0);
        }

        /** The i-th row of windows, or none before the first. */
        MaxPoolGather.Source source(int i, int tap) {
            return i < 0 ? none() : new MaxPoolGather.Source(dy(i), taps(i).tap(), tap);
        }
    }

    /** Row by row, each from the taps of all windows that reach into it. */
    private void gather(int top, int bottom) {
        long rowBytes = 4L * w * c;
        int stride = geometry.strideH();
        Ring ring = new Ring(taps(SOURCES + 1, 0), dy, q, c);
        MaxPoolRows image = new MaxPoolRows(x, geometry, h, w, q, c);
        MaxPoolGather gather = new MaxPoolGather(geometry, w, q, c);
        int found = geometry.firstWindowOfRow(top);
        int end = geometry.endWindowOfRow(bottom - 1, p);
        // stride 1: whether this row and the next have the shares of all windows found
        boolean shared = false;
        for (int row = top; row < bottom; row++) {
            int first = geometry.firstWindowOfRow(row);
            int behind = geometry.endWindowOfRow(row, p);
            boolean begins = found < end && row == found * stride - geometry.paddingH();
            if (begins && stride == 2 && row + 1 < bottom) {
                if (image.pairs(found, ring.taps(found), ring.source(found - 1, 6), ring.dy(found), dx)) {
                    found++;
                    row++;
                    continue;
                }
            } else if (begins && stride == 1 && row + 2 < bottom && image.prepareTriples(found)) {
                if (!shared) {
                    MaxPoolGather.Source none = ring.none();
                    gather.row(dx + row * rowBytes, ring.source(found - 2, 6), ring.source(found - 1, 3), none);
                    gather.row(dx + (row + 1) * rowBytes, ring.source(found - 1, 6), none, none);
                }
                shared = image.triples(found, ring.taps(found), ring.dy(found), dx);
                if (shared) {
                    found++;
                    continue;
                }
            }
            shared = false;
            for (; found < behind; found++) {
                image.findNine(found, ring.taps(found));
            }
            if (first >= behind) {
                Copies.zero(dx + row * rowBytes, rowBytes);
                continue;
            }
            MaxPoolGather.Source[] sources = new MaxPoolGather.Source[stride == 1 ? SOURCES : behind - first];
            for (int s = 0; s < sources.length; s++) {
                int i = first + s;
                int tap = (row - i * stride + geometry.paddingH()) * geometry.windowW();
                sources[s] = i < behind ? ring.source(i, tap) : ring.none();
            }
            gather.row(dx + row * rowBytes, sources);
        }
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
