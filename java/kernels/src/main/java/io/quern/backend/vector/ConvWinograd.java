package io.quern.backend.vector;

import static io.quern.backend.vector.WinogradTransforms.POINTS;

import io.quern.backend.WorkerPool;
import io.quern.op.Winograd;
import io.quern.tensor.Tensor;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A 3x3 or 5x5 convolution of stride 1, or its gradient by the image, by Winograd's F(4x4, 3x3) or F(2x2, 5x5): tiles of
 * 6x6 source pixels and filters are transformed, multiplied point by point, 36 matrix products over the channels, and
 * transformed back to 4x4 or 2x2 results. A quarter, or 36 %, of the multiplications; what the transforms cost decides
 * {@link #pays}.
 *
 * <p>Two orders. Where the transformed filter is the smaller operand it is made first, whole, and tasks are blocks of
 * tiles that go through all steps in L2. Where it is the larger, the transformed tiles are made first, and tasks are
 * panels of columns, whose part of the filter is transformed and used up in cache. Every sum is one chain over the
 * channels either way.
 *
 * <p>An element that is not finite spreads over its tile, and large ones may overflow in between: then some result is not
 * finite, and {@link #run} says so for the caller to compute directly.
 */
final class ConvWinograd {
    /** Multiply-adds below which threads cost more than they bring. */
    private static final double PARALLEL = 1 << 20;
    /** Bytes of transformed tiles and products that a block of tiles may take. */
    private static final long BLOCK_BYTES = 640 << 10;
    /** Bytes of transformed tiles at once where they are made first. */
    private static final long SOURCE_BYTES = 12 << 20;
    /** Keeps the 36 points of a tile apart in the sets of the caches. */
    private static final long SKEW = 5 * 64;

    private final ConvShape shape;
    private final boolean forward;
    private final ConvAxis h, w;
    /** Side of the filter and of a tile of results. */
    private final int taps, tile;
    /** Source channels and result channels. */
    private final int depth, width;

    private final int panels;
    private final int down, across, tiles;
    /** Whether the transformed tiles are made before the filter. */
    private final boolean sourceFirst;
    /** Tiles multiplied at once, and tiles transformed at once. */
    private final int block, span;

    private final WinogradSource tileSource;
    private final ConvTile.Walk whole;
    private final ConvTile.Walk last;
    private final long filterPoint, filterPanel;

    private ConvWinograd(ConvShape shape, boolean forward) {
        this.shape = shape;
        this.forward = forward;
        h = forward ? shape.forwardH() : shape.backwardH();
        w = forward ? shape.forwardW() : shape.backwardW();
        depth = forward ? shape.c() : shape.k();
        width = forward ? shape.k() : shape.c();
        taps = shape.r();
        tile = Winograd.tile(taps);
        panels = up(width, ConvTile.COLUMNS);
        down = up(h.results(), tile);
        across = up(w.results(), tile);
        tiles = shape.n() * down * across;
        tileSource = new WinogradSource(h, w, depth, tile);
        filterPoint = (long) depth * ConvTile.COLUMNS * Float.BYTES + SKEW;
        filterPanel = POINTS * filterPoint;
        sourceFirst = width > tiles || panels * filterPanel > SOURCE_BYTES;
        int fits = (int) (BLOCK_BYTES / ((long) POINTS * Float.BYTES * (depth + width))) / 8 * 8;
        int most = sourceFirst ? 64 : Math.clamp(fits, 32, 128);
        // equal blocks of whole register tiles
        block = Math.max(1, up(up(tiles, up(tiles, most)), ConvTile.ROWS) * ConvTile.ROWS);
        int together = (int) (SOURCE_BYTES / ((long) POINTS * Float.BYTES * depth)) / block * block;
        span = sourceFirst ? Math.min(up(tiles, block) * block, Math.max(block, together)) : block;
        int columns = sourceFirst ? ConvTile.COLUMNS : panels * ConvTile.COLUMNS;
        whole = walk(block, columns);
        last = tiles % block == 0 ? whole : walk(tiles % block, columns);
    }

    /** Null where the direct way is allowed only, or faster. */
    static ConvWinograd forward(ConvShape shape) {
        return pays(shape, shape.c(), shape.k(), shape.p(), shape.q()) ? new ConvWinograd(shape, true) : null;
    }

    /** The same for dx from dy. */
    static ConvWinograd backward(ConvShape shape) {
        return pays(shape, shape.k(), shape.c(), shape.h(), shape.w()) ? new ConvWinograd(shape, false) : null;
    }

    /** Compares vector operations per channel vector; the constants are measured, see bench/lab/conv2d.md. */
    private static boolean pays(ConvShape shape, int depth, int width, int rows, int columns) {
        if (!shape.winograd() || depth % Lanes.FLOATS != 0 || width % Lanes.FLOATS != 0) {
            return false;
        }
        int taps = shape.r(), tile = Winograd.tile(taps);
        double tiles = (double) shape.n() * up(rows, tile) * up(columns, tile);
        double in = depth / Lanes.FLOATS, out = width / Lanes.FLOATS;
        double direct = (double) shape.n() * rows * columns * taps * taps * depth * out;
        double products = tiles * POINTS * depth * out;
        double transforms = tiles * (in + out) * 220 + depth * out * 200;
        return products + transforms < direct;
    }

    private static int up(int count, int part) {
        return (count + part - 1) / part;
    }

    private ConvTile.Walk walk(int count, int columns) {
        ConvRows rows = ConvRows.allocate(count);
        for (int i = 0; i < count; i++) {
            rows.set(i, (long) i * depth * Float.BYTES, (long) i * columns * Float.BYTES);
        }
        return new ConvTile.Walk(new long[1], depth, Float.BYTES, rows.pad());
    }

    /** Bytes from a point to the next of the transformed tiles and of the products. */
    private long sourcePoint() {
        return (long) span * depth * Float.BYTES + SKEW;
    }

    private long productPoint() {
        return (long) block * (sourceFirst ? 1 : panels) * ConvTile.COLUMNS * Float.BYTES + SKEW;
    }

    /** The same arguments as {@link Correlation#run}; false if a result is not finite, and hence none may be right. */
    boolean run(
            Tensor source,
            Tensor filter,
            Tensor bias,
            Tensor result,
            boolean relu,
            Epilogue epilogue,
            Scratch scratch,
            WorkerPool pool) {
        return new Call(source, filter, bias, result, relu, epilogue, scratch, pool).run();
    }

    /** One call: where its operands lie. */
    private final class Call {
        private final long source, filter, result;
        private final Epilogue epilogue;
        private final Scratch scratch;
        private final WorkerPool pool;
        private final Thread caller = Thread.currentThread();
        private final AtomicBoolean finite = new AtomicBoolean(true);
        private final int bound;
        private final boolean parallel = shape.work() >= PARALLEL;
        /** Shared: a row of zeros, the bias, and the operand that is made first. Then each thread's own. */
        private final long zeros, biases, first, own;

        private final long zeroBytes = tileSource.zeroBytes();
        private final long biasBytes = (long) panels * ConvTile.COLUMNS * Float.BYTES;
        private final long firstBytes = sourceFirst ? POINTS * sourcePoint() : panels * filterPanel;
        private final long secondBytes = sourceFirst ? filterPanel : POINTS * sourcePoint();
        /** Nine or more far streams at once are slow to read where the filter is large. */
        private final boolean packs = !forward || sourceFirst;

        private final long packBytes = packs ? (long) taps * taps * depth * ConvTile.COLUMNS * Float.BYTES : 0;
        private final long productBytes = POINTS * productPoint();
        private final long bufferBytes =
                Math.max(WinogradSource.BUFFER, (long) WinogradTransforms.RESULT_BUFFER * panels * 2 * Lanes.BYTES);
        private final long edgeBytes = (long) tile * tile * panels * ConvTile.COLUMNS * Float.BYTES;
        private final long ownBytes =
                secondBytes + packBytes + productBytes + bufferBytes + edgeBytes + ConvTile.SCRATCH + Lanes.BYTES;

        Call(
                Tensor source,
                Tensor filter,
                Tensor bias,
                Tensor result,
                boolean relu,
                Epilogue epilogue,
                Scratch scratch,
                WorkerPool pool) {
            this.source = source.address();
            this.filter = filter.address();
            this.result = result.address();
            this.epilogue = epilogue;
            this.scratch = scratch;
            this.pool = pool;
            bound = relu ? 0 : ConvTile.UNBOUNDED;
            zeros = scratch.address(zeroBytes + biasBytes + firstBytes + ownBytes);
            biases = zeros + zeroBytes;
            first = biases + biasBytes;
            own = first + firstBytes;
            Copies.zero(zeros, zeroBytes + biasBytes);
            if (bias != null) {
                Copies.copy(bias.address(), biases, (long) width * Float.BYTES);
            }
        }

        boolean run() {
            if (sourceFirst) {
                for (int from = 0; from < tiles; from += span) {
                    int start = from, count = Math.min(span, tiles - from);
                    Blocks.run(pool, parallel, up(count, block), part -> {
                        int at = part * block;
                        long to = first + (long) at * depth * Float.BYTES;
                        tileSource.transform(
                                source,
                                zeros,
                                start + at,
                                Math.min(block, count - at),
                                to,
                                sourcePoint(),
                                buffer(own()));
                    });
                    Blocks.run(pool, parallel, panels, panel -> panel(panel, start, count));
                }
            } else {
                Blocks.run(pool, parallel, panels, panel -> filter(panel, first + panel * filterPanel, own()));
                Blocks.run(pool, parallel, up(tiles, block), part -> tiles(part * block));
            }
            return finite.get();
        }

        private long buffer(long mine) {
            return mine + secondBytes + packBytes + productBytes;
        }

        private long own() {
            return Thread.currentThread() == caller ? own : scratch.address(ownBytes);
        }

        /** All columns of a block of tiles, with the filter at hand. */
        private void tiles(int from) {
            long mine = own(), products = mine + secondBytes + packBytes;
            int count = Math.min(block, tiles - from);
            tileSource.transform(source, zeros, from, count, mine, sourcePoint(), buffer(mine));
            askAhead(from, count, mine);
            for (int point = 0; point < POINTS; point++) {
                for (int panel = 0; panel < panels; panel++) {
                    long to = products + point * productPoint() + (long) panel * ConvTile.COLUMNS * Float.BYTES;
                    long b = first + panel * filterPanel + point * filterPoint;
                    multiply(count, mine + point * sourcePoint(), b, panel, to, mine);
                }
            }
            results(from, count, 0, width, panels * ConvTile.COLUMNS, mine);
        }

        /** A panel of columns of all tiles at hand. */
        private void panel(int panel, int start, int count) {
            long mine = own(), products = mine + secondBytes + packBytes;
            filter(panel, mine, mine);
            ConvTile.askNothing(tile(mine));
            for (int at = 0; at < count; at += block) {
                int some = Math.min(block, count - at);
                for (int point = 0; point < POINTS; point++) {
                    long a = first + (long) at * depth * Float.BYTES + point * sourcePoint();
                    long to = products + point * productPoint();
                    multiply(some, a, mine + point * filterPoint, panel, to, mine);
                }
                int column = panel * ConvTile.COLUMNS;
                results(start + at, some, column, wide(panel), ConvTile.COLUMNS, mine);
            }
        }

        private int wide(int panel) {
            return Math.min(ConvTile.COLUMNS, width - panel * ConvTile.COLUMNS);
        }

        private void multiply(int count, long a, long b, int panel, long to, long mine) {
            int wide = wide(panel);
            ConvTile.Walk walk = count == block ? whole : last;
            ConvTile.panel(
                    walk, a, b, (long) wide * Float.BYTES, to, wide, zeros, ConvTile.UNBOUNDED, false, tile(mine));
        }

        /** The scratch of register tiles. */
        private long tile(long mine) {
            return mine + ownBytes - ConvTile.SCRATCH - Lanes.BYTES;
        }

        /** While a block of tiles is multiplied: the source of the next one, and where its own results go. */
        private void askAhead(int from, int count, long mine) {
            ConvTile.Walk walk = count == block ? whole : last;
            long steps = 0;
            for (int panel = 0; panel < panels; panel++) {
                steps += POINTS * walk.steps(wide(panel));
            }
            long line = (long) w.sources() * depth * Float.BYTES, y = (long) w.results() * width * Float.BYTES;
            ConvTile.askAhead(
                    tile(mine),
                    steps,
                    stream(source, from + block, h.sources(), line),
                    stream(result, from, h.results(), y));
        }

        /** A block's part of images of so many rows, about. */
        private ConvTile.Stream stream(long images, int from, int rows, long line) {
            long at = rowsBefore(from, rows) * line;
            return new ConvTile.Stream(images + at, rowsBefore(from + block, rows) * line - at);
        }

        private long rowsBefore(int number, int rows) {
            int some = Math.min(number, tiles);
            return some / across % down * (long) tile + (long) (some / across / down) * rows;
        }

        /** The transformed filter's panel. */
        private void filter(int panel, long to, long mine) {
            int wide = wide(panel);
            long wideBytes = (long) wide * Float.BYTES;
            long pack = mine + secondBytes, buffer = pack + packBytes + productBytes;
            long column = (long) panel * ConvTile.COLUMNS * Float.BYTES;
            long k = (long) shape.k() * Float.BYTES;
            long tap = shape.c() * k, at = filter + column, row = k;
            if (packs && forward) {
                for (int i = 0; i < taps * taps; i++) {
                    Copies.rows(at + i * tap, k, Float.BYTES, depth, wide, pack + i * depth * wideBytes, wide);
                }
                tap = depth * wideBytes;
                at = pack;
                row = wideBytes;
            } else if (!forward) {
                at = filter + panel * ConvTile.COLUMNS * k;
                for (int i = 0; i < taps * taps; i++) {
                    // the taps in reverse
                    long turned = pack + (taps * taps - 1 - i) * depth * wideBytes;
                    GemmTranspose.all(at + i * tap, k, wide, depth, turned, wideBytes);
                }
                tap = depth * wideBytes;
                at = pack;
                row = wideBytes;
            }
            if (WinogradCode.takes()) {
                int vectors = wide / Lanes.FLOATS;
                WinogradCode.filter(taps, at, tap, row, depth, vectors, to, wideBytes, filterPoint);
                return;
            }
            for (int j = 0; j < wide; j += Lanes.FLOATS) {
                long vector = (long) j * Float.BYTES;
                WinogradOfTaps.filter(taps, at + vector, tap, row, depth, buffer, to + vector, wideBytes, filterPoint);
            }
        }

        /** Transforms products of {@code columns} of the tiles back and stores them. */
        private void results(int from, int count, int column, int columns, int pitch, long mine) {
            long products = mine + secondBytes + packBytes;
            long buffer = products + productBytes, edge = buffer + bufferBytes;
            long seen = mine + ownBytes - Lanes.BYTES;
            long pixel = (long) width * Float.BYTES, row = w.results() * pixel, some = (long) columns * Float.BYTES;
            int vectors = columns / Lanes.FLOATS;
            Copies.zero(seen, Lanes.BYTES);
            // neighbours in machine code, else one
            for (int i = 0, run; i < count; i += run) {
                int number = from + i, y = number / across % down * tile, x = number % across * tile;
                run = WinogradCode.takes() ? Math.min(count - i, across - number % across) : 1;
                int high = Math.min(tile, h.results() - y), wide = Math.min(run * tile, w.results() - x);
                int row0 = (number / across / down * h.results() + y) * w.results() + x;
                long to = result + row0 * pixel + (long) column * Float.BYTES;
                long bias = biases + (long) column * Float.BYTES;
                long product = products + (long) i * pitch * Float.BYTES;
                if (WinogradCode.takes()) {
                    WinogradCode.results(
                            taps,
                            product,
                            (long) pitch * Float.BYTES,
                            productPoint(),
                            vectors,
                            bias,
                            bound,
                            to,
                            pixel,
                            row,
                            wide,
                            high,
                            seen);
                } else if (high == tile && wide == tile) {
                    WinogradOfTaps.result(
                            taps, product, productPoint(), vectors, buffer, bias, bound, to, pixel, row, seen);
                } else {
                    WinogradOfTaps.result(
                            taps, product, productPoint(), vectors, buffer, bias, bound, edge, some, tile * some, seen);
                    Copies.pieces(edge, tile * some, some, high, wide, some, to, row, pixel);
                }
                if (epilogue != null) {
                    for (int r = 0; r < high; r++) {
                        epilogue.apply(to + r * row, pixel, row0 + r * w.results(), wide, column, columns);
                    }
                }
            }
            if (!WinogradTransforms.isZero(seen)) {
                finite.set(false);
            }
        }
    }
}
