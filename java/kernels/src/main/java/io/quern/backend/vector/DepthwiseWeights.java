package io.quern.backend.vector;

import static io.quern.backend.vector.ConvDepthwise.FILTER;
import static io.quern.backend.vector.ConvDepthwise.TAPS;

import io.quern.backend.WorkerPool;

/**
 * The gradient of a depthwise 3x3 convolution by its filter. Rows of dy are dealt out to chunks, each of which has a filter of its
 * own, and channels to groups. Within, one vector of channels after the other goes down the image: three rows of its sources stay
 * in the innermost cache. What limits is the traffic between the caches, two lines per vector of dy if all are read once.
 */
final class DepthwiseWeights {
    /** Chunks times groups: enough for threads to share evenly. */
    private static final int TASKS = 16;
    /** Bytes to read for each byte of a chunk's filter, at least. */
    private static final long SHARE = 32;
    /** Vectors of channels in a group, at least. */
    private static final int GROUP = 8;
    /** Bytes of rows that are passed together where the next ones are asked for meanwhile, by calls and in the loops. */
    private static final long BAND = 96 << 10, BAND_IN_CODE = 320 << 10;

    private final ConvAxis h, w;
    private final int vectors, units, chunks, groups, band;
    private final long pixel, elements;
    private final boolean far;

    DepthwiseWeights(ConvShape shape, ConvAxis h, ConvAxis w) {
        this.h = h;
        this.w = w;
        vectors = shape.c() / Lanes.FLOATS;
        pixel = (long) shape.c() * Float.BYTES;
        elements = shape.filterElements();
        units = w.results() == 0 ? 0 : shape.n() * h.results();
        long row = (w.results() + (long) h.stride() * w.sources()) * pixel, bytes = units * row;
        int most = Integer.highestOneBit(Math.clamp(bytes / (SHARE * TAPS * pixel), 1, TASKS));
        chunks = Math.clamp(units, 1, most);
        groups = Math.clamp(vectors / GROUP, 1, TASKS / most);
        far = bytes > Copies.CACHED;
        long rows = DepthwiseCode.takes(w.sources()) ? BAND_IN_CODE : BAND;
        band = Math.clamp(far ? rows / row : h.results(), 1, DepthwiseCode.MOST_ROWS);
    }

    void run(long x, long dy, long dfilter, boolean parallel, Scratch scratch, WorkerPool pool) {
        long part = TAPS * pixel, row = Math.max(1, w.sources()) * pixel; // a row of no pixels has padding beside it
        long parts = scratch.address((chunks + 1) * part + row);
        long sum = parts + chunks * part, zeros = sum + part;
        Copies.zero(zeros, row);
        DepthwiseSource source = new DepthwiseSource(h.sources(), w.sources(), -h.low(), -w.low(), pixel, zeros, zeros);
        int rows = h.results();
        boolean coded = DepthwiseCode.takes(w.sources());
        Blocks.run(pool, parallel, chunks * groups, task -> {
            int chunk = task / groups, group = task % groups;
            int v = vectors * group / groups, count = vectors * (group + 1) / groups - v;
            long column = (long) v * Lanes.BYTES, own = parts + chunk * part + v * FILTER;
            Copies.zero(own, count * FILTER);
            int end = (int) ((long) units * (chunk + 1) / chunks);
            for (int unit = (int) ((long) units * chunk / chunks), next; unit < end; unit = next) {
                int n = unit / rows, from = unit % rows;
                next = Math.min(Math.min(end, (n + 1) * rows), unit + band);
                int to = from + next - unit;
                long image = x + (long) n * h.sources() * w.sources() * pixel;
                long signal = dy + (long) n * rows * w.results() * pixel;
                DepthwiseCode.Band signals =
                        coded ? DepthwiseCode.Band.of(h.stride(), source, image, signal, w.results(), from, to) : null;
                boolean onTheWay = coded && far && groups == 1;
                if (onTheWay) {
                    signals = signals.askingFor(
                            image + (long) sourcesBefore(to) * w.sources() * pixel,
                            signal + (long) to * w.results() * pixel);
                }
                for (int i = 0; i < count; i++) {
                    if (far && !onTheWay) {
                        askForNext(image + column, signal + column, to, i, count);
                    }
                    long at = column + (long) i * Lanes.BYTES, sums = own + i * FILTER;
                    if (coded) {
                        signals.gradient(source, at, sums);
                    } else if (h.stride() == 1) {
                        DepthwiseGradient.gradient(source, image + at, signal + at, w.results(), from, to, sums);
                    } else {
                        DepthwiseGradient.strided(source, image + at, signal + at, w.results(), from, to, sums);
                    }
                }
            }
        });
        Sums.rows(pool, parallel, parts, part, chunks, sum, elements);
        DepthwiseCopies.unpack(sum, vectors, dfilter, pixel);
    }

    /** Rows of sources that those before row {@code to} of dy meet, and those before them. */
    private int sourcesBefore(int to) {
        return Math.min(h.sources(), (to - 1) * h.stride() + ConvDepthwise.SIDE + h.low());
    }

    /**
     * One of {@code count} parts of the rows that follow those before row {@code to} of dy: all at once would leave nothing to compute
     * meanwhile. They are the next image's where this one ends.
     *
     * @param x, dy the image's first channels of so many vectors
     */
    private void askForNext(long x, long dy, int to, int part, int count) {
        int sources = sourcesBefore(to);
        int pixels = Math.ceilDiv(band * h.stride() * w.sources(), count);
        int results = Math.ceilDiv(band * w.results(), count);
        long width = (long) count * Lanes.BYTES;
        Prefetch.forReading(x + ((long) sources * w.sources() + (long) part * pixels) * pixel, width, pixels, pixel);
        Prefetch.forReading(dy + ((long) to * w.results() + (long) part * results) * pixel, width, results, pixel);
    }
}
