package io.quern.backend.vector;

import static io.quern.backend.vector.GemmGrid.ceil;
import static io.quern.backend.vector.GemmGrid.up;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;
import java.math.BigInteger;

/**
 * The gradient of a filter as a product x' dy for each tap, or for each row of taps where what they meet of a pixel lies
 * together, block by block of pixels. What is met of a block is copied together, a strip of channels at a time, by the task that
 * multiplies it, and stays in its L2: in place, channels of neighbouring pixels lie at strides that few sets of a cache share,
 * and {@link Gemm} would pack for all tasks, through L3 and back. dy is packed likewise where several products or many channels
 * of x use it, and else read in place.
 *
 * <p>The pixels are dealt out to chunks, whose number depends on the shape alone; each sums into a filter of its own, and the
 * chunks are added in order.
 */
final class GemmFilterGradient {
    /** Elements of a dense 1x1 filter up to which {@link GemmChunks} is faster, and up to which copying x is better than packing dy. */
    private static final long SMALL = 60_000, MIDDLE = 192 << 10;
    /** Pixels of a block at most. */
    private static final int DEPTH = 400;
    /** Channels of x in a strip: whole tiles and whole cache lines. */
    private static final int STRIP = 96;
    /** Bytes of dy in a block at most. */
    private static final int SIGNAL = 800 << 10;

    /** Tasks for each thread from which on it does not matter that some have one more. */
    private static final int MANY = 4;
    /** Each with a filter of its own: at most as many threads share the pixels. */
    private static final int CHUNKS = 8;
    /** Pixels of a chunk, so that adding it stays a small part of the work. */
    private static final int SHORTEST = 512;
    /** Bytes of all the chunks' filters together. */
    private static final long CHUNK_BYTES = 4 << 20;
    /** As alpha. */
    private static final int ONE = Float.floatToRawIntBits(1f);

    private static final GemmTile TILE = GemmTile.WIDE;
    private static final GemmCode CODE = GemmCode.of(TILE);

    private final ConvShape shape;
    private final int pixels, chunks, depth;
    /** Taps of a filter row, or 1 where what they meet of a pixel lies together: taps, and what each meets, as channels. */
    private final int across, taps, channels;
    /** Whether x is copied, and dy packed, and x used pixel by pixel. */
    private final boolean copies, packs, dense;
    /** Bytes of a chunk's filter, and of a pixel of x, of a strip of x and of dy. */
    private final long part, pixelX, pixelStrip, pixelY;

    private GemmFilterGradient(ConvShape shape) {
        this.shape = shape;
        pixels = shape.n() * shape.p() * shape.q();
        across = joins(shape) ? 1 : shape.s();
        taps = shape.r() * across;
        channels = channels(shape);
        pixelX = 4L * shape.c();
        pixelY = 4L * shape.k();
        // an odd number of lines: any number of pixels spreads over all sets of a cache
        // of which tiles at the border read whole tiles
        int strip = up(Math.min(STRIP, channels), TILE.rows) * Float.BYTES;
        pixelStrip = (ceil(strip, (int) Lanes.LINE) | 1) * Lanes.LINE;
        dense = ConvPointwise.dense(shape);
        copies = !dense || shape.filterElements() <= MIDDLE;
        packs = !copies || shape.r() * shape.s() > 1 && shape.k() > TILE.columns;
        part = up((int) shape.filterElements() * Float.BYTES, (int) Lanes.LINE);
        int most = Math.clamp(pixels / SHORTEST, 1, CHUNKS);
        chunks = Integer.highestOneBit(Math.clamp(CHUNK_BYTES / part, 1, most));
        int longest = ceil(pixels, chunks);
        depth = ceil(longest, ceil(longest, DEPTH));
    }

    /** Null where other ways are as good, or the only ones. */
    static GemmFilterGradient of(ConvShape shape) {
        return ConvTile.LARGE
                        && shape.groups() == 1
                        && (!ConvPointwise.dense(shape) || shape.filterElements() > SMALL)
                        && channels(shape) >= TILE.rows
                        && shape.k() >= TILE.columns
                        && shape.filterElements() <= Integer.MAX_VALUE / 8
                        && shape.n() > 0
                        && shape.p() > 0
                        && shape.q() > 0
                        && (long) shape.n() * shape.p() * shape.q() <= Integer.MAX_VALUE
                ? new GemmFilterGradient(shape)
                : null;
    }

    /** Where a filter row's taps meet neighbours, they are rows of one product: few channels then fill a strip, too. */
    private static boolean joins(ConvShape shape) {
        return shape.geometry().dilationW() == 1 && (long) shape.s() * shape.c() <= Integer.MAX_VALUE / 8;
    }

    private static int channels(ConvShape shape) {
        return joins(shape) ? shape.s() * shape.c() : shape.c();
    }

    /** Whether a filter of more than one tap fills at least half a strip. */
    static boolean fills(ConvShape shape) {
        return joins(shape) && 2 * channels(shape) >= STRIP && shape.r() * shape.s() > 1 && of(shape) != null;
    }

    void run(Tensor x, Tensor dy, Tensor dfilter, Scratch scratch, WorkerPool pool) {
        boolean alone = pool.threads() == 1;
        int panels = ceil(shape.k(), TILE.columns), most = Math.max(1, SIGNAL / (depth * TILE.columns * Float.BYTES));
        int threads = pool.threads(), units = units();
        // bits depend neither on blocks of columns nor on groups of rows
        int groups = groups(chunks * ceil(panels, most), threads, units);
        int across = Math.clamp(ceil(threads, chunks * groups), ceil(panels, most), panels);
        int columns = ceil(panels, across) * TILE.columns, blocks = ceil(shape.k(), columns);
        long sharedBytes = (alone ? Math.min(1, chunks - 1) : chunks == 1 ? 0 : chunks) * part;
        long ownBytes = GemmTile.SCRATCH + (packs ? 4L * columns * depth : 0) + (copies ? pixelStrip * depth : 0);
        long shared = scratch.address(sharedBytes + ownBytes), filter = dfilter.address();
        int elements = (int) shape.filterElements();
        if (alone) {
            WorkerPool.runHere(chunks * blocks, task -> {
                long result = task < blocks ? filter : shared;
                block(
                        x.address(),
                        dy.address(),
                        task / blocks,
                        task % blocks * columns,
                        columns,
                        0,
                        units,
                        result,
                        shared + sharedBytes);
                if (task >= blocks && (task + 1) % blocks == 0) {
                    Sums.add(filter, shared - filter, 2, filter, elements);
                }
            });
            return;
        }
        Thread caller = Thread.currentThread();
        pool.run(chunks * blocks * groups, task -> {
            long own = Thread.currentThread() == caller ? shared + sharedBytes : scratch.address(ownBytes);
            int chunk = task / groups / blocks, group = task % groups;
            long result = chunks == 1 ? filter : shared + chunk * part;
            int from = units * group / groups, to = units * (group + 1) / groups;
            block(x.address(), dy.address(), chunk, task / groups % blocks * columns, columns, from, to, result, own);
        });
        if (chunks > 1) {
            Sums.rows(pool, true, shared, part, chunks, filter, elements);
        }
    }

    /** Strips of all taps. */
    private int units() {
        return taps * ceil(channels, STRIP);
    }

    /** Into how many groups the strips are divided, so that threads have equally many of few tasks. */
    private static int groups(int tasks, int threads, int units) {
        int common = BigInteger.valueOf(tasks).gcd(BigInteger.valueOf(threads)).intValue();
        return tasks >= MANY * threads ? 1 : Math.min(units, threads / common);
    }

    /** The columns {@code column} .. of some strips of taps, over the pixels of a chunk. */
    private void block(
            long x, long dy, int chunk, int column, int widest, int firstUnit, int lastUnit, long result, long tile) {
        int from = (int) ((long) pixels * chunk / chunks), to = (int) ((long) pixels * (chunk + 1) / chunks);
        int columns = Math.min(widest, shape.k() - column);
        long packed = tile + GemmTile.SCRATCH, strip = packed + (packs ? 4L * widest * depth : 0);
        GemmPanels signal = GemmPanels.columns(dy, shape.k(), 1);
        TilesAhead ahead = new TilesAhead();
        for (int p = from; p < to; p += depth) {
            int kc = Math.min(depth, to - p);
            if (packs) {
                signal.pack(packed, TILE.columns, column, columns, p, kc);
            }
            long b = packs ? packed : dy + p * pixelY + 4L * column;
            for (int unit = firstUnit; unit < lastUnit; unit++) {
                int strips = units() / taps, tap = unit / strips, c = unit % strips * STRIP;
                long filter = result + tap * channels * pixelY + 4L * column;
                int rows = Math.min(STRIP, channels - c);
                long a = x + p * pixelX + 4L * c;
                if (copies) {
                    int r = tap / across, s = tap % across;
                    TapPixels.copy(shape, x, p, kc, r, s, 4L * c, 4L * rows, strip, pixelStrip);
                    a = strip;
                }
                boolean last = unit + 1 == lastUnit;
                askFor(ahead, x, dy, last ? p + depth : p, to, last ? firstUnit : unit + 1, last, column, columns);
                multiply(rows, column, columns, kc, a, b, filter + c * pixelY, p > from, tile, ahead);
            }
        }
    }

    /**
     * What the tiles of a strip ask for: the next strip where its pixels lie in a row, and for the next block of pixels dy.
     *
     * @param p its pixels' first, before the end {@code to}, or there is none
     */
    private void askFor(
            TilesAhead ahead, long x, long dy, int p, int to, int unit, boolean block, int column, int columns) {
        if (p >= to) {
            ahead.nothing();
            return;
        }
        int c = unit * STRIP;
        long bytesX = dense ? 4L * Math.min(STRIP, channels - c) : 0, bytesY = block ? 4L * columns : 0;
        ahead.of(x + p * pixelX + 4L * c, pixelX, bytesX, dy + p * pixelY + 4L * column, pixelY, bytesY);
    }

    private void multiply(
            int rows,
            int column,
            int columns,
            int kc,
            long a,
            long b,
            long c,
            boolean add,
            long tile,
            TilesAhead ahead) {
        long rs = Float.BYTES, cs = copies ? pixelStrip : pixelX;
        long bs = packs ? 4L * TILE.columns : pixelY, panel = packs ? bs * kc : 4L * TILE.columns;
        long readable = packs ? GemmTile.PADDED : shape.k();
        for (int j = 0; j < columns; j += TILE.columns, b += panel) {
            int wide = Math.min(TILE.columns, columns - j);
            long ai = a, ci = c + 4L * j;
            int done = wide == TILE.columns ? coded(rows, kc, ai, rs, cs, b, bs, ci, add, tile, ahead) : 0;
            ai += done * rs;
            ci += done * pixelY;
            for (int i = done, high; i < rows; i += high, ai += high * rs, ci += high * pixelY) {
                high = Math.min(TILE.rows, rows - i);
                if (wide == TILE.columns && high == TILE.rows) {
                    TILE.full(kc, ai, rs, cs, b, bs, ci, pixelY, ONE, add, tile);
                } else {
                    // x ends behind its last channel: the tile begins before
                    int back = copies ? 0 : TILE.edgeRows(high) - high, at = column + j;
                    TILE.edge(high, wide, back, at, readable, kc, ai, rs, cs, b, bs, ci, pixelY, ONE, add, tile);
                }
            }
        }
    }

    /** Whole tiles of one panel by machine code; returns the rows that are done. */
    private int coded(
            int rows,
            int kc,
            long a,
            long rs,
            long cs,
            long b,
            long bs,
            long c,
            boolean add,
            long scratch,
            TilesAhead ahead) {
        int tiles = CODE == null ? 0 : rows / TILE.rows;
        if (tiles == 0) {
            return 0;
        }
        long argument = GemmTile.argument(scratch);
        GemmCode.prepare(argument, kc, rs, cs, TILE.rows * rs, bs, pixelY, ONE);
        for (int tile = 0, some; tile < tiles; tile += some) {
            some = ahead.next(argument, CODE.tiles(tiles - tile, kc), TILE.rows * pixelY);
            int row = tile * TILE.rows;
            GemmCode.Storing storing = add ? GemmCode.Storing.ADD : GemmCode.Storing.SET;
            CODE.run(argument, a + row * rs, b, c + row * pixelY, TILE.columns, some, storing);
        }
        return tiles * TILE.rows;
    }
}
