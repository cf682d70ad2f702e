package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;

/**
 * A convolution of images of one channel into few: {@link Correlation} fills a lane per result channel. Here lanes run along
 * the pixels of a row, as in {@link ThinFilterGradient}: a tile sums two vectors of pixels for six channels, a row of results
 * lies as a plane per channel and is turned into pixels; or both in {@link ThinTileCode}. Every result is one chain of fused
 * multiply-adds in the order of taps.
 */
final class ThinCorrelation {
    private static final int PLANES = ThinTile.PLANES, ALL_PLANES = ThinTile.ALL_PLANES;
    /**
     * Bytes of the rows that a band adds to the copied image, within an L1 cache. What else a band touches comes on top:
     * the rows it shares with the next one, a row of planes, and the filter.
     */
    private static final int BAND = 32 << 10;

    private final ConvShape shape;
    private final int vectors, band, bands, groups;
    private final long[] taps;
    /** Bytes of a row of a plane, of a row of the copied image and of all of it, of a group's filter with its bias. */
    private final long line, row, image, filterBytes;
    /** Null where the tiles are to be in Java. */
    final ThinTileCode code;

    private ThinCorrelation(ConvShape shape, boolean inCode) {
        this.shape = shape;
        vectors = (shape.q() + Lanes.FLOATS - 1) / Lanes.FLOATS;
        line = (long) vectors * Lanes.BYTES;
        row = ThinRows.row(shape, line);
        band = Math.clamp(BAND / (row * shape.geometry().strideH()), 1, shape.p());
        bands = (shape.p() + band - 1) / band;
        image = ((band - 1L) * shape.geometry().strideH() + ThinRows.reach(shape)) * row;
        groups = (shape.k() + PLANES - 1) / PLANES;
        taps = ThinRows.offsets(shape, row);
        filterBytes = (taps.length + 1L) * PLANES * Float.BYTES;
        code = inCode ? ThinTileCode.of(taps, shape.k(), shape.q()) : null;
    }

    /** Null where {@link Correlation} is as good. */
    static ThinCorrelation of(ConvShape shape) {
        return ThinRows.fits(shape) ? new ThinCorrelation(shape, true) : null;
    }

    /** With its tiles in Java on any machine. */
    static ThinCorrelation inJava(ConvShape shape) {
        return new ThinCorrelation(shape, false);
    }

    /**
     * @param bias one float per result channel, or null
     * @param relu whether negative results become 0
     * @param epilogue for finished bands, or null
     */
    void run(
            Tensor x,
            Tensor filter,
            Tensor bias,
            Tensor y,
            boolean relu,
            Epilogue epilogue,
            Scratch scratch,
            WorkerPool pool) {
        long from = x.address(), to = y.address(), biases = bias == null ? 0 : bias.address();
        long planes = code == null ? ALL_PLANES * line : 0, ownBytes = planes + image;
        long shared = code == null ? groups * filterBytes + 63 & -64 : 0, packed = scratch.address(shared + ownBytes);
        if (code == null) {
            pack(filter.address(), biases, packed);
        }
        long weights = code == null ? packed : filter.address();
        int floor = relu ? 0 : ConvTile.UNBOUNDED;
        Thread caller = Thread.currentThread();
        Blocks.run(pool, shape.work() >= ThinRows.PARALLEL, shape.n() * bands, unit -> {
            long own = Thread.currentThread() == caller ? packed + shared : scratch.address(ownBytes);
            unit(unit, from, to, weights, biases, own, own + planes, floor, epilogue);
        });
    }

    /** Per group of planes: six channels of each tap, then of the bias; what does not exist is zero. */
    private void pack(long filter, long bias, long to) {
        int k = shape.k();
        for (int g = 0; g < groups; g++, to += filterBytes) {
            int live = Math.min(PLANES, k - g * PLANES);
            Copies.rows(filter + 4L * g * PLANES, 4L * k, Float.BYTES, taps.length, live, to, PLANES);
            long end = to + filterBytes - 4L * PLANES;
            if (bias == 0) {
                Copies.zero(end, 4L * PLANES);
            } else {
                Copies.rows(bias + 4L * g * PLANES, 0, Float.BYTES, 1, live, end, PLANES);
            }
        }
    }

    private void unit(
            int unit, long x, long y, long weights, long biases, long planes, long copy, int floor, Epilogue epilogue) {
        int n = unit / bands, top = unit % bands * band, lines = Math.min(band, shape.p() - top);
        int strideH = shape.geometry().strideH();
        int rows = (int) ((lines - 1L) * strideH + ThinRows.reach(shape));
        ThinRows.copy(shape, row, x + 4L * n * shape.h() * shape.w(), top * strideH, rows, copy);
        long pixel = 4L * shape.k(), first = ((long) n * shape.p() + top) * shape.q(), to = y + first * pixel;
        if (code == null) {
            for (int i = 0; i < lines; i++) {
                sum(copy + i * strideH * row, weights, floor, planes);
                ThinTile.turn(planes, line, shape.k(), shape.q(), to + (long) i * shape.q() * pixel);
            }
        } else {
            code.sum(0, taps.length, weights, pixel, biases, floor, copy, strideH * row, to, lines);
        }
        if (epilogue != null) {
            epilogue.apply(to, pixel, Math.toIntExact(first), lines * shape.q(), 0, shape.k());
        }
    }

    /** A row of results as planes. */
    private void sum(long source, long packed, int floor, long planes) {
        for (int g = 0; g < groups; g++) {
            long to = planes + g * PLANES * line, group = packed + g * filterBytes;
            for (int v = 0; v < vectors; v += 2) {
                long at = (long) v * Lanes.BYTES, next = v + 1 < vectors ? at + Lanes.BYTES : at;
                ThinTile.sum(
                        taps,
                        0,
                        taps.length,
                        source + at,
                        source + next,
                        group,
                        group + 4L * PLANES * taps.length,
                        floor,
                        to + at,
                        to + next,
                        line);
            }
        }
    }
}
