package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;

/**
 * The gradient by an image of four to six channels, with stride 1: a correlation of dy with the flipped filter, whose lanes are the
 * pixels of a row of the image, as in {@link ThinCorrelation}. dy is turned into a plane per channel, between zeros. A tile is six
 * channels of two rows, and leaves out the rows of the filter that meet dy for neither. Every element is one chain of fused
 * multiply-adds: filter row by filter row, there channel by channel, in Java or in {@link ThinTileCode}.
 */
final class ThinImageGradient {
    private static final int PLANES = ThinTile.PLANES;
    /** Image channels below which {@link ConvThin}, whose sums are four lanes wide, wastes less. */
    private static final int CHANNELS = 4;
    /** Taps up to which an image of four channels, two planes of a tile being empty, wastes less than {@link ConvThin}. */
    private static final int FEW_TAPS = 9;
    /** Bytes of dy's planes that a band of the image reads: most of an L1 cache. */
    private static final int BAND = 32 << 10;

    private final ConvShape shape;
    private final int dilationH, dilationW, vectors, band, bands, perRow;
    /** Bytes of a row of results, of a row of dy's planes and of such a plane. */
    private final long line, row, plane;

    private final long[] taps;
    /** Null where the tiles are to be in Java. */
    final ThinTileCode code;

    ThinImageGradient(ConvShape shape) {
        this(shape, true);
    }

    private ThinImageGradient(ConvShape shape, boolean inCode) {
        this.shape = shape;
        dilationH = shape.geometry().dilationH();
        dilationW = shape.geometry().dilationW();
        vectors = (shape.w() + Lanes.FLOATS - 1) / Lanes.FLOATS;
        line = (long) vectors * Lanes.BYTES;
        row = row(shape);
        int most = Math.min(shape.h(), lines(shape));
        bands = (shape.h() + most - 1) / most;
        band = (shape.h() + bands - 1) / bands;
        plane = (band + reach(shape)) * row;
        perRow = shape.k() * shape.s();
        taps = new long[shape.r() * perRow];
        for (int t = 0; t < taps.length; t++) {
            int r = t / perRow, k = t % perRow / shape.s(), s = t % shape.s();
            taps[t] =
                    k * plane + (shape.r() - 1L - r) * dilationH * row + (shape.s() - 1L - s) * dilationW * Float.BYTES;
        }
        code = inCode ? ThinTileCode.of(taps, shape.c(), shape.w()) : null;
    }

    /** With its tiles in Java on any machine. */
    static ThinImageGradient inJava(ConvShape shape) {
        return new ThinImageGradient(shape, false);
    }

    /** For images, not empty, of five or six channels, or four and few taps, whose planes of dy are small. */
    static boolean fits(ConvShape shape) {
        return shape.c() >= CHANNELS
                && shape.c() <= PLANES
                && (shape.c() > CHANNELS || shape.r() * shape.s() <= FEW_TAPS)
                && shape.groups() == 1
                && shape.geometry().strideH() == 1
                && shape.geometry().strideW() == 1
                && shape.r() * shape.s() > 1
                && shape.k() > 0
                && shape.p() > 0
                && shape.q() > 0
                && 2 * shape.w() >= Lanes.FLOATS
                && lines(shape) >= 2;
    }

    /** Rows of dy above or below a row of the image that it reads. */
    private static long reach(ConvShape shape) {
        return (shape.r() - 1L) * shape.geometry().dilationH();
    }

    private static long row(ConvShape shape) {
        long line = ((long) shape.w() + Lanes.FLOATS - 1) / Lanes.FLOATS * Lanes.BYTES;
        return line + (shape.s() - 1L) * shape.geometry().dilationW() * Float.BYTES;
    }

    /** Rows of the image that a band may have. */
    private static int lines(ConvShape shape) {
        return Math.clamp(BAND / (row(shape) * shape.k()) - reach(shape), 0, Integer.MAX_VALUE);
    }

    void run(Tensor dy, Tensor filter, Tensor dx, Scratch scratch, WorkerPool pool) {
        long signal = dy.address(), image = dx.address();
        long shared = (taps.length + 1L) * PLANES * Float.BYTES + 63 & -64;
        long results = code == null ? 2L * ThinTile.ALL_PLANES * line : 0, ownBytes = results + shape.k() * plane;
        long packed = scratch.address(shared + ownBytes);
        pack(filter.address(), packed);
        Thread caller = Thread.currentThread();
        Blocks.run(pool, shape.work() >= ThinRows.PARALLEL, shape.n() * bands, unit -> {
            long own = Thread.currentThread() == caller ? packed + shared : scratch.address(ownBytes);
            unit(unit, signal, image, packed, own, own + results);
        });
    }

    /** Six floats per tap, of channels; then zeros for a bias. */
    private void pack(long filter, long to) {
        long k = shape.k(), along = 4L * PLANES;
        Copies.zero(to, along * (taps.length + 1));
        for (int r = 0; r < shape.r(); r++) {
            for (int s = 0; s < shape.s(); s++) {
                long from = filter + 4L * (r * shape.s() + s) * shape.c() * k;
                GemmTranspose.all(from, 4L * k, shape.c(), (int) k, to + along * (r * perRow + s), shape.s() * along);
            }
        }
    }

    private void unit(int unit, long dy, long dx, long packed, long results, long planes) {
        int n = unit / bands, top = unit % bands * band, lines = Math.min(band, shape.h() - top);
        // the row of dy that the last row of the filter meets in the first row of the band
        int first = top + shape.geometry().paddingH() - (int) reach(shape);
        copy(dy + 4L * n * shape.p() * shape.q() * shape.k(), first, lines, planes);
        long biases = packed + 4L * PLANES * taps.length, pixels = dx + 4L * n * shape.h() * shape.w() * shape.c();
        for (int i = 0; i < lines; i += 2) {
            int two = i + 1 < lines ? 1 : 0, y = top + i;
            long target = pixels + 4L * y * shape.w() * shape.c();
            long source = planes + i * row, below = source + two * row, other = results + ThinTile.ALL_PLANES * line;
            int from = firstTap(y) * perRow, to = endTap(y + two) * perRow;
            if (code != null) {
                code.sum(from, to, packed, 4L * PLANES, 0, ConvTile.UNBOUNDED, source, row, target, 1 + two);
                continue;
            }
            for (int v = 0; v < vectors; v++) {
                long at = (long) v * Lanes.BYTES;
                ThinTile.sum(
                        taps,
                        from,
                        to,
                        source + at,
                        below + at,
                        packed,
                        biases,
                        ConvTile.UNBOUNDED,
                        results + at,
                        other + at,
                        line);
            }
            ThinTile.turn(results, line, shape.c(), shape.w(), target);
            if (two == 1) {
                ThinTile.turn(other, line, shape.c(), shape.w(), target + 4L * shape.w() * shape.c());
            }
        }
    }

    /** The first row of the filter that meets a row of dy in row {@code y} of the image: y + padding - r dilation < p. */
    private int firstTap(int y) {
        int over = y + shape.geometry().paddingH() - (shape.p() - 1);
        return Math.min(shape.r(), over <= 0 ? 0 : (over + dilationH - 1) / dilationH);
    }

    /** Behind the last one: y + padding - r dilation >= 0. */
    private int endTap(int y) {
        return Math.min(shape.r(), (y + shape.geometry().paddingH()) / dilationH + 1);
    }

    /** Rows of dy from {@code first} as planes between zeros. */
    private void copy(long dy, int first, int lines, long planes) {
        long k = shape.k(), pixel = 4L * k;
        Copies.zero(planes, k * plane);
        int wide = (int) (row / Float.BYTES),
                left = (shape.s() - 1) * dilationW - shape.geometry().paddingW();
        int skipped = Math.max(0, -left), start = Math.max(0, left);
        int live = Math.min(shape.q() - skipped, wide - start);
        int end = Math.min(first + lines + (int) reach(shape), shape.p());
        for (int p = Math.max(0, first); p < end; p++) {
            long from = dy + ((long) p * shape.q() + skipped) * pixel, to = planes + (p - first) * row + 4L * start;
            GemmTranspose.all(from, pixel, live, (int) k, to, plane);
        }
    }
}
