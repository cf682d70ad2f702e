package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import io.quern.op.PoolGeometry;
import io.quern.tensor.Tensor;

/**
 * Forward pooling by blocks of result rows. The image rows of a result row's windows are combined to one row that stays in
 * the nearest cache, whatever the number of channels; then the columns of each window.
 */
final class PoolForward {
    private final PoolGeometry geometry;
    private final PoolFold fold;
    private final boolean countPadding;
    private final PixelGroup group;
    private final int h;
    private final int w;
    private final int c;
    private final int p;
    private final int q;
    /** Windows {@code whole <= j < wholeEnd} lie between the left and the right end of the image. */
    private final int whole;

    private final int wholeEnd;

    private PoolForward(Tensor x, Tensor y, PoolGeometry geometry, PoolFold fold, boolean countPadding) {
        this.geometry = geometry;
        this.fold = fold;
        this.countPadding = countPadding;
        h = x.dim(1);
        w = x.dim(2);
        c = x.dim(3);
        p = y.dim(1);
        q = y.dim(2);
        group = PixelGroup.of(c, geometry);
        whole = Math.min(q, Math.ceilDiv(geometry.paddingW(), geometry.strideW()));
        int end = Math.floorDiv(w + geometry.paddingW() - geometry.windowW(), geometry.strideW()) + 1;
        wholeEnd = Math.clamp(end, whole, q);
    }

    /** @param countPadding divides by the pixels of the whole window rather than by those in the image */
    static void run(
            WorkerPool pool,
            Scratch scratch,
            Tensor x,
            Tensor y,
            PoolGeometry geometry,
            PoolFold fold,
            boolean countPadding) {
        PoolForward forward = new PoolForward(x, y, geometry, fold, countPadding);
        long image = x.address();
        long result = y.address();
        long imageBytes = 4L * forward.h * forward.w * forward.c;
        long rowBytes = 4L * forward.q * forward.c;
        int p = forward.p;
        int work = (int) Math.min(Integer.MAX_VALUE, (long) geometry.windowH() * forward.w * forward.c);
        Rows.run(pool, y.size(0) * p, work, (from, count) -> {
            long row = scratch.address(4L * forward.w * forward.c + 2L * Lanes.BYTES);
            for (long r = from; r < from + count; r++) {
                forward.row(image + imageBytes * (r / p), result + rowBytes * r, (int) (r % p), row);
            }
        });
    }

    private void row(long image, long y, int i, long row) {
        int first = geometry.firstRow(i);
        int rows = geometry.endRow(i, h) - first;
        combine(image + 4L * first * w * c, rows, row);
        float divisor = divisor(rows, geometry.windowW());
        for (int j = 0; j < whole; j++) {
            edge(row, y, j, rows);
        }
        int step = geometry.strideW() * c;
        int j = whole;
        if (group.pixels() > 1) {
            int groups = (wholeEnd - whole) / group.pixels();
            fold.group(
                    window(row, j),
                    y + 4L * j * c,
                    groups,
                    group.pixels() * step,
                    c,
                    geometry.windowW(),
                    group.picks(),
                    group.pixels() * c,
                    divisor);
            j += groups * group.pixels();
        }
        fold.windows(window(row, j), y + 4L * j * c, wholeEnd - j, step, c, geometry.windowW(), divisor);
        for (j = wholeEnd; j < q; j++) {
            edge(row, y, j, rows);
        }
    }

    /** Image rows to one. */
    private void combine(long x, int rows, long to) {
        int count = w * c;
        long bytes = 4L * count;
        if (rows == 1) {
            Copies.copy(x, to, bytes);
            return;
        }
        int done = rows % 2 == 0 ? 2 : 3;
        if (done == 2) {
            fold.two(x, x + bytes, to, count);
        } else {
            fold.three(x, x + bytes, x + 2 * bytes, to, count);
        }
        for (; done < rows; done += 2) {
            fold.three(to, x + done * bytes, x + (done + 1) * bytes, to, count);
        }
    }

    /** A window that the end of the image cuts off. */
    private void edge(long row, long y, int j, int rows) {
        int first = geometry.firstColumn(j);
        int columns = geometry.endColumn(j, w) - first;
        fold.windows(row + 4L * first * c, y + 4L * j * c, 1, 0, c, columns, divisor(rows, columns));
    }

    private long window(long row, int j) {
        return row + 4L * c * ((long) j * geometry.strideW() - geometry.paddingW());
    }

    private float divisor(int rows, int columns) {
        return countPadding ? geometry.taps() : rows * columns;
    }
}
