package io.quern.backend.vector;

import static io.quern.backend.vector.GemmGrid.ceil;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;

/**
 * The gradient of a large 1x1 filter as a matrix product, x' dy. Block by block of pixels, dy is packed into L2 by the task that
 * uses it, and x read in place: {@link Gemm} packs both for all tasks, whose way through L3 and back is a large part of a
 * product that is as short along the pixels as these are. The pixels are dealt out to chunks, whose number depends on the shape
 * alone; each sums into a filter of its own, and the chunks are added in order.
 */
final class PointwiseGradient {
    /** Elements of a filter up to which {@link Gemm} reads both in place. */
    private static final long SMALL = 192 << 10;
    /** Pixels of a block at most. */
    private static final int DEPTH = 256;
    /** Channels of x, in whole tiles, and of dy in a block at most. */
    private static final int ROWS = 96, COLUMNS = 512;

    private static final int CHUNKS = 4;
    /** Bytes of all the chunks' filters together. */
    private static final long CHUNK_BYTES = 4 << 20;
    /** As alpha. */
    private static final int ONE = Float.floatToRawIntBits(1f);

    private static final GemmTile TILE = GemmTile.WIDE;

    private final ConvShape shape;
    private final int pixels, chunks, depth;
    /** Bytes of a chunk's filter, and of a pixel of x and of dy. */
    private final long part, pixelX, pixelY;

    private PointwiseGradient(ConvShape shape) {
        this.shape = shape;
        pixels = shape.n() * shape.p() * shape.q();
        pixelX = 4L * shape.c();
        pixelY = 4L * shape.k();
        part = shape.filterElements() * Float.BYTES + 63 & -64;
        int most = Math.min(CHUNKS, ceil(pixels, DEPTH));
        chunks = Integer.highestOneBit(Math.clamp(CHUNK_BYTES / part, 1, most));
        int longest = ceil(pixels, chunks);
        depth = ceil(longest, ceil(longest, DEPTH));
    }

    /** Null where {@link ConvPointwise} is as good. */
    static PointwiseGradient of(ConvShape shape) {
        return ConvTile.LARGE
                        && ConvPointwise.fits(shape)
                        && shape.p() == shape.h()
                        && shape.q() == shape.w()
                        && shape.filterElements() > SMALL
                        && shape.c() >= TILE.rows
                        && shape.k() >= TILE.columns
                        && shape.n() > 0
                        && shape.p() > 0
                        && shape.q() > 0
                ? new PointwiseGradient(shape)
                : null;
    }

    void run(Tensor x, Tensor dy, Tensor dfilter, Scratch scratch, WorkerPool pool) {
        int panels = ceil(shape.k(), TILE.columns);
        // more blocks of columns cost more passes over x, but bits do not depend on them
        int across = Math.clamp(ceil(pool.threads(), chunks), ceil(shape.k(), COLUMNS), panels);
        int columns = ceil(panels, across) * TILE.columns, blocks = ceil(shape.k(), columns);
        long sharedBytes = chunks == 1 ? 0 : chunks * part;
        long total = sharedBytes + GemmTile.SCRATCH + (long) columns * depth * Float.BYTES;
        long shared = scratch.address(total), filter = dfilter.address(), image = x.address();
        GemmPanels signal = GemmPanels.columns(dy.address(), shape.k(), 1);
        Thread caller = Thread.currentThread();
        Blocks.run(pool, true, chunks * blocks, task -> {
            long own = Thread.currentThread() == caller ? shared + sharedBytes : scratch.address(total - sharedBytes);
            int chunk = task / blocks, column = task % blocks * columns;
            int from = (int) ((long) pixels * chunk / chunks), to = (int) ((long) pixels * (chunk + 1) / chunks);
            int wide = Math.min(columns, shape.k() - column);
            block(image, signal, from, to, wide, column, chunks == 1 ? filter : shared + chunk * part, own);
        });
        if (chunks > 1) {
            Sums.rows(pool, true, shared, part, chunks, filter, shape.filterElements());
        }
    }

    /** The columns {@code column} .. of the product over the pixels {@code from} .. {@code to}. */
    private void block(long x, GemmPanels dy, int from, int to, int columns, int column, long result, long tile) {
        long b = tile + GemmTile.SCRATCH;
        for (int p = from; p < to; p += depth) {
            int kc = Math.min(depth, to - p);
            dy.pack(b, TILE.columns, column, columns, p, kc);
            for (int c = 0; c < shape.c(); c += ROWS) {
                long a = x + p * pixelX + 4L * c, y = result + c * pixelY + 4L * column;
                multiply(Math.min(ROWS, shape.c() - c), columns, column, kc, a, b, y, p > from, tile);
            }
        }
    }

    private void multiply(int rows, int columns, int column, int kc, long a, long b, long c, boolean add, long tile) {
        long bs = 4L * TILE.columns, rs = Float.BYTES;
        for (int j = 0; j < columns; j += TILE.columns, b += bs * kc) {
            int wide = Math.min(TILE.columns, columns - j);
            long ai = a, ci = c + 4L * j;
            for (int i = 0, high; i < rows; i += high, ai += high * rs, ci += high * pixelY) {
                high = Math.min(TILE.rows, rows - i);
                if (wide == TILE.columns && high == TILE.rows) {
                    TILE.full(kc, ai, rs, pixelX, b, bs, ci, pixelY, ONE, add, tile);
                } else {
                    // x ends behind its last channel: the tile begins before
                    int back = TILE.edgeRows(high) - high;
                    long n = GemmTile.PADDED;
                    TILE.edge(high, wide, back, column + j, n, kc, ai, rs, pixelX, b, bs, ci, pixelY, ONE, add, tile);
                }
            }
        }
    }
}
