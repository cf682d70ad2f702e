package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;

/**
 * The gradient of a convolution by its filter, planned for one shape: register tiles whose rows are filter elements and
 * whose sums run along the pixels of a slab.
 *
 * <p>In NHWC both operands are read in place: an element of a padded slab by broadcast, the channels of dy as vectors.
 * The slabs are dealt out to a number of chunks that depends on the shape alone; each chunk sums its slabs in order into
 * a filter of its own, and the chunks are added in order.
 */
final class FilterGradient {
    private static final int CHUNKS = 16;
    /** Bytes of all the chunks' filters together. */
    private static final long CHUNK_BYTES = 32 << 20;
    /** Multiply-adds below which threads cost more than they bring. */
    private static final double PARALLEL = 1 << 19;

    /** Channels of dy, and rows that use a panel, from which copying it pays. */
    private static final int FAR = 128;

    private final ConvShape shape;
    private final boolean depthwise;
    /** 1 for a depthwise convolution, whose channels are columns. */
    private final int groups;
    /** Image channels and result channels of a group. */
    private final int depth;

    private final int width;
    /** Columns of a panel. */
    private final int columns;

    private final ConvSlabs slabs;
    private final ConvTile.Walk whole;
    private final ConvTile.Walk odd;
    private final int panels;
    private final int chunks;
    /** One filter, in bytes. */
    private final long filterBytes;

    /** Whether panels of dy are copied together: partial vectors, or pixels so far apart that they share few cache sets. */
    private final boolean packs;

    private final long packedBytes;

    FilterGradient(ConvShape shape) {
        this.shape = shape;
        depthwise = shape.depthwise();
        groups = depthwise ? 1 : shape.groups();
        depth = depthwise ? 1 : shape.groupC();
        width = shape.k() / groups;
        columns = depthwise ? Lanes.FLOATS : ConvTile.COLUMNS;
        boolean copy = depthwise && width % columns != 0;
        slabs = ConvSlabs.of(shape.forwardH(), shape.forwardW(), shape.n(), shape.c(), copy);
        panels = (width + columns - 1) / columns;
        filterBytes = shape.filterElements() * Float.BYTES;
        chunks = Math.clamp(Math.min(CHUNK_BYTES / Math.max(1, filterBytes), slabs.count()), 1, CHUNKS);
        ConvRows rows = rows();
        int last = Math.max(0, slabs.count() - 1);
        whole = walk(rows, 0);
        odd = slabs.count() > 0 && slabs.odd(last) ? walk(rows, last) : whole;
        int rest = width % columns;
        long pixels = (long) slabs.perSlab() * slabs.band() * shape.q();
        packs = rest != 0 && rest != Lanes.FLOATS || shape.k() >= FAR && shape.r() * shape.s() * depth >= FAR;
        packedBytes = packs ? pixels * columns * Float.BYTES : 0;
    }

    /** A row per filter row, column and channel. */
    private ConvRows rows() {
        long pixel = (long) shape.c() * Float.BYTES;
        ConvRows rows = ConvRows.allocate(shape.r() * shape.s() * depth);
        for (int i = 0; i < rows.count(); i++) {
            int r = i / depth / shape.s();
            int s = i / depth % shape.s();
            long source = r * shape.geometry().dilationH() * slabs.rowBytes()
                    + s * shape.geometry().dilationW() * pixel
                    + (long) (i % depth) * Float.BYTES;
            rows.set(i, source, (long) i * shape.k() * Float.BYTES);
        }
        return rows.pad();
    }

    /** A run per row of results, or fewer where neighbouring rows of x are neighbours in memory. */
    private ConvTile.Walk walk(ConvRows rows, int slab) {
        int images = slabs.images(slab);
        int lines = slabs.to(slab) - slabs.from(slab);
        long cs = (long) shape.geometry().strideW() * shape.c() * Float.BYTES;
        long line = shape.geometry().strideH() * slabs.rowBytes();
        int kc = shape.q();
        if (kc * cs == line) {
            kc *= lines;
            lines = 1;
            if (kc * cs == slabs.imageBytes()) {
                kc *= images;
                images = 1;
            }
        }
        long[] taps = new long[images * lines];
        for (int i = 0; i < taps.length; i++) {
            taps[i] = i / lines * slabs.imageBytes() + i % lines * line;
        }
        return new ConvTile.Walk(taps, kc, cs, rows);
    }

    void run(Tensor x, Tensor dy, Tensor dfilter, Scratch scratch, WorkerPool pool) {
        if (filterBytes == 0) {
            return;
        }
        long image = x.address();
        long signal = dy.address();
        long filter = dfilter.address();
        if (slabs.count() == 0) {
            Copies.zero(filter, filterBytes);
            return;
        }
        long partBytes = (filterBytes + 63) / 64 * 64;
        long zeros = (long) columns * Float.BYTES;
        long sharedBytes = zeros + (chunks == 1 ? 0 : chunks * partBytes);
        long total = sharedBytes + ConvTile.SCRATCH + packedBytes + slabs.bytes();
        long shared = scratch.address(total);
        Copies.zero(shared, zeros);
        long parts = chunks == 1 ? filter : shared + zeros;
        Thread caller = Thread.currentThread();
        boolean parallel = shape.work() >= PARALLEL;
        Blocks.run(pool, parallel, chunks, chunk -> {
            long own = (Thread.currentThread() == caller ? shared : scratch.address(total)) + sharedBytes;
            int from = (int) ((long) slabs.count() * chunk / chunks);
            int to = (int) ((long) slabs.count() * (chunk + 1) / chunks);
            for (int slab = from; slab < to; slab++) {
                slab(slab, image, signal, parts + chunk * partBytes, slab > from, shared, own);
            }
        });
        if (chunks > 1) {
            Sums.rows(pool, parallel, parts, partBytes, chunks, filter, shape.filterElements());
        }
    }

    private void slab(int slab, long image, long signal, long part, boolean add, long zeros, long own) {
        long packed = own + ConvTile.SCRATCH;
        long a = slabs.open(slab, image, packed + packedBytes);
        ConvTile.Walk walk = slabs.odd(slab) ? odd : whole;
        long pixelBytes = (long) shape.k() * Float.BYTES;
        int pixels = slabs.images(slab) * (slabs.to(slab) - slabs.from(slab)) * shape.q();
        long first = signal + ((long) slabs.firstImage(slab) * shape.p() + slabs.from(slab)) * shape.q() * pixelBytes;
        askAhead(slab, walk, image, signal, own);
        for (int panel = 0; panel < groups * panels; panel++) {
            int group = panel / panels;
            int wide = Math.min(columns, width - panel % panels * columns);
            long column = (long) (group * width + panel % panels * columns) * Float.BYTES;
            long b = first + column;
            long bs = pixelBytes;
            if (packs && (shape.k() >= FAR || wide != columns && wide != Lanes.FLOATS)) {
                int pitch = wide > Lanes.FLOATS ? columns : Lanes.FLOATS;
                Copies.rows(b, bs, Float.BYTES, pixels, wide, packed, pitch);
                b = packed;
                bs = (long) pitch * Float.BYTES;
            }
            if (depthwise) {
                ConvTile.depthwise(walk, a + column, b, bs, part + column, wide, zeros, ConvTile.UNBOUNDED, add, own);
            } else {
                long source = a + (long) group * depth * Float.BYTES;
                ConvTile.panel(walk, source, b, bs, part + column, wide, zeros, ConvTile.UNBOUNDED, add, own);
            }
        }
    }

    /** The next slab's x and dy. */
    private void askAhead(int slab, ConvTile.Walk walk, long image, long signal, long own) {
        long steps = 0;
        for (int panel = 0; panel < panels; panel++) {
            steps += groups * walk.steps(Math.min(columns, width - panel * columns));
        }
        long x = (long) shape.w() * shape.c() * Float.BYTES, dy = (long) shape.q() * shape.k() * Float.BYTES;
        int stride = shape.geometry().strideH();
        ConvTile.askAhead(
                own, steps, stream(image, slab + 1, shape.h(), stride, x), stream(signal, slab + 1, shape.p(), 1, dy));
    }

    /** A slab's part of images of so many rows, about; {@code step} of them for a row of results. */
    private ConvTile.Stream stream(long images, int slab, int rows, int step, long line) {
        long at = rowsBefore(slab, rows, step) * line;
        return new ConvTile.Stream(images + at, rowsBefore(slab + 1, rows, step) * line - at);
    }

    private long rowsBefore(int slab, int rows, int step) {
        return slab >= slabs.count()
                ? (long) shape.n() * rows
                : (long) slabs.firstImage(slab) * rows + Math.min((long) rows, (long) slabs.from(slab) * step);
    }
}
