package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import io.quern.op.ActivationKind;
import io.quern.tensor.Tensor;

/**
 * A convolution of images of few channels, such as the first of a network: {@link Correlation} finds a tile's pixels in tables, which
 * cost more here than they bring, since sums are short. Bands of an image are copied between zeros, so that the pixels of a row of
 * results lie at one distance; a last tile overlaps its neighbour, which computes the same. Every result is one chain of fused
 * multiply-adds, filter row by filter row.
 */
final class StemCorrelation {
    /** Bytes of a band of the copied image, in an L1 cache. */
    private static final int BAND = 24 << 10;
    /** Multiply-adds below which threads cost more than they bring. */
    private static final double PARALLEL = 1 << 19;
    /** Most channels of x, and with five taps at once twice as many: from there on {@link Correlation} has long runs to sum. */
    private static final int CHANNELS = 4;
    /** Pixels of a tile of {@link StemRuns}. */
    private static final int THREES = 11, FIVES = 10;

    private final ConvShape shape;
    private final StemRows rows;
    private final int band, bands;
    private final long[] taps;
    /** Taps side by side that {@link StemRuns} takes at once; 1 where it does not fit. */
    private final int run;
    /** Of the first of each run of taps, and where their rows of the filter are. */
    private final long[] runs, filters;

    private StemCorrelation(ConvShape shape) {
        this.shape = shape;
        rows = new StemRows(shape);
        int most = 1;
        while (most < shape.p() && rows.bytes(most + 1) <= BAND) {
            most++;
        }
        bands = (shape.p() + most - 1) / most;
        band = (shape.p() + bands - 1) / bands;
        taps = new long[shape.r() * shape.s() * shape.c()];
        for (int t = 0; t < taps.length; t++) {
            int tap = t / shape.c();
            taps[t] = (long) tap / shape.s() * shape.geometry().dilationH() * rows.row()
                    + 4L * (tap % shape.s() * shape.geometry().dilationW() * shape.c() + t % shape.c());
        }
        int c = shape.c();
        run = runLength(shape);
        runs = new long[run == 1 ? 0 : shape.r() * c];
        filters = new long[runs.length];
        for (int t = 0; t < runs.length; t++) {
            int tap = t / c * run * c + t % c;
            runs[t] = taps[tap];
            filters[t] = 4L * tap * shape.k();
        }
    }

    /**
     * Length of a row of the filter, if that is a run of neighbours that {@link StemRuns} knows, met by pixels that are neighbours, too;
     * five of them where few pixels are computed twice, and results too few for tiles of four vectors.
     */
    private static int runLength(ConvShape shape) {
        if (shape.geometry().strideW() != 1 || shape.geometry().dilationW() != 1) {
            return 1;
        }
        boolean whole = 10L * ((shape.q() + FIVES - 1) / FIVES * FIVES) <= 11L * shape.q();
        boolean five = shape.s() == 5 && shape.k() < 4 * Lanes.FLOATS && whole;
        return shape.s() == 3 ? 3 : five ? 5 : 1;
    }

    /** Null where {@link Correlation} is as good. */
    static StemCorrelation of(ConvShape shape) {
        return ConvTile.LARGE
                        && shape.groups() == 1
                        && shape.c() > 0
                        && shape.c() <= (runLength(shape) == 5 ? 2 * CHANNELS : CHANNELS)
                        && shape.r() * shape.s() > 1
                        && shape.k() > 0
                        && shape.k() % (runLength(shape) > 1 ? Lanes.FLOATS : 2 * Lanes.FLOATS) == 0
                        && shape.q() >= (runLength(shape) == 5 ? FIVES : 16)
                        && shape.p() > 0
                        && shape.n() > 0
                ? new StemCorrelation(shape)
                : null;
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
        long from = x.address(), to = y.address(), weights = filter.address();
        long shared = 4L * shape.k() + 63 & -64, total = shared + rows.bytes(band);
        long biases = scratch.address(total);
        if (bias == null) {
            Copies.zero(biases, 4L * shape.k());
        } else {
            Copies.copy(bias.address(), biases, 4L * shape.k());
        }
        Thread caller = Thread.currentThread();
        Blocks.run(pool, shape.work() >= PARALLEL, shape.n() * bands, unit -> {
            long own = (Thread.currentThread() == caller ? biases : scratch.address(total)) + shared;
            unit(unit, from, weights, biases, to, own, relu, epilogue);
        });
    }

    private void unit(int unit, long x, long filter, long bias, long y, long copy, boolean relu, Epilogue epilogue) {
        int n = unit / bands, top = unit % bands * band, lines = Math.min(band, shape.p() - top);
        int strideH = shape.geometry().strideH();
        rows.copy(x, n, top, lines, copy);
        long pixel = 4L * shape.k(), first = ((long) n * shape.p() + top) * shape.q(), to = y + first * pixel;
        for (int i = 0; i < lines; i++) {
            long line = to + (long) i * shape.q() * pixel;
            for (int k = 0, wide; k < shape.k(); k += wide) {
                int left = shape.k() - k;
                int most = run == 5 ? 1 : left / Lanes.FLOATS;
                wide = (most >= 4 ? 4 : Math.min(most, 2)) * Lanes.FLOATS;
                line(copy + i * strideH * rows.row(), filter + 4L * k, bias + 4L * k, line + 4L * k, wide);
            }
            if (relu) {
                ActivationVector.apply(ActivationKind.RELU, line, line, shape.q() * shape.k());
            }
        }
        if (epilogue != null) {
            epilogue.apply(to, pixel, Math.toIntExact(first), lines * shape.q(), 0, shape.k());
        }
    }

    /** Some columns of a row of results. */
    private void line(long a, long b, long bias, long c, int wide) {
        long rs = 4L * shape.c() * shape.geometry().strideW(), pixel = 4L * shape.k();
        int vectors = wide / Lanes.FLOATS, q = shape.q();
        for (int from = 0, high; from < q; from += high) {
            int left = q - from;
            high = vectors == 4 ? 6 : vectors == 2 ? 8 : run == 5 ? FIVES : THREES;
            int at = Math.min(from, q - high);
            long source = a + at * rs, target = c + at * pixel;
            if (vectors == 4) {
                StemTiles.set6x4(taps, source, rs, b, pixel, target, pixel, bias);
            } else if (vectors == 1) {
                long next = pixel * shape.c();
                if (run == 5) {
                    StemRuns.set10x1(runs, filters, source, rs, b, next, target, pixel, bias);
                } else {
                    StemRuns.set11x1(runs, filters, source, rs, b, next, target, pixel, bias);
                }
            } else {
                StemTiles.set8x2(taps, source, rs, b, pixel, target, pixel, bias);
            }
        }
    }
}
