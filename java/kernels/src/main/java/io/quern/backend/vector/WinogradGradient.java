package io.quern.backend.vector;

import static io.quern.backend.vector.WinogradTransforms.POINTS;
import static io.quern.backend.vector.WinogradTransforms.SIDE;

import io.quern.backend.WorkerPool;
import io.quern.op.Winograd;
import io.quern.tensor.Tensor;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The gradient of a 3x3 or 5x5 convolution of stride 1 by its filter, as the transpose of Winograd's F(4x4, 3x3) or
 * F(2x2, 5x5): tiles of the image and tiles of dy are transformed, multiplied point by point, 36 matrix products that sum
 * over tiles, and the sums transformed to nine or 25 taps. Tiles go through in spans that stay in cache; spans are added in order.
 * Where the products of all columns of the filter would not stay in cache, slices of columns go through one after another.
 *
 * <p>Threads take whole spans where the products of all of them fit {@link #PARTS_BYTES}: what a thread transforms, it
 * multiplies. Else they share the tiles and the points of each span. A span's products are summed from zero and then added
 * either way, so bits are the same.
 *
 * <p>As with {@link ConvWinograd}, {@link #run} tells when a result is not finite.
 */
final class WinogradGradient {
    /** Bytes of transformed tiles of a span, and of the products of a slice at most. */
    private static final long SPAN_BYTES = 6 << 20, PRODUCT_BYTES = 12 << 20;
    /** Bytes of the products of all spans at most, for each to have its own. */
    private static final long PARTS_BYTES = 16 << 20;
    /** Spans to aim at, so that threads can share them, and tiles of such a span at least. */
    private static final int SPANS = 8, FEW = 64;
    /** Multiply-adds below which threads cost more than they bring. */
    private static final double PARALLEL = 1 << 20;
    /** Elements of the filter that one task transforms back. */
    private static final int FINISHED = 1 << 8;
    /** Tiles that one task transforms. */
    private static final int SOME = 8;
    /** Keeps the 36 points apart in the sets of the caches. */
    private static final long SKEW = 5 * 64;

    private final ConvShape shape;
    private final ConvAxis h, w;
    /** Side of the filter and of a tile of dy. */
    private final int taps, tile;

    private final WinogradSource source;
    private final int down, across, tiles, spans, span, slice;
    private final ConvTile.Walk whole, last;
    private final long imagePoint, signalPoint, productPoint;

    /** @param slice result channels whose products are summed at once, whole vectors */
    WinogradGradient(ConvShape shape, int slice) {
        this.shape = shape;
        h = shape.forwardH();
        w = shape.forwardW();
        taps = shape.r();
        tile = Winograd.tile(taps);
        source = new WinogradSource(h, w, shape.c(), tile);
        down = (shape.p() + tile - 1) / tile;
        across = (shape.q() + tile - 1) / tile;
        tiles = shape.n() * down * across;
        this.slice = slice;
        int most = (int) Math.max(FEW, SPAN_BYTES / ((long) POINTS * Float.BYTES * (shape.c() + slice)));
        productPoint = (long) shape.c() * slice * Float.BYTES + SKEW;
        if (SPANS * POINTS * productPoint <= PARTS_BYTES) {
            most = Math.min(most, Math.max(FEW, Math.ceilDiv(tiles, SPANS)));
        }
        spans = Math.ceilDiv(tiles, most);
        span = Math.ceilDiv(tiles, spans);
        imagePoint = (long) span * shape.c() * Float.BYTES + SKEW;
        signalPoint = (long) span * slice * Float.BYTES + SKEW;
        ConvRows rows = ConvRows.allocate(shape.c());
        for (int c = 0; c < shape.c(); c++) {
            rows.set(c, (long) c * Float.BYTES, (long) c * slice * Float.BYTES);
        }
        rows = rows.pad();
        long step = (long) shape.c() * Float.BYTES;
        whole = new ConvTile.Walk(new long[1], span, step, rows);
        last = tiles % span == 0 ? whole : new ConvTile.Walk(new long[1], tiles % span, step, rows);
    }

    /** Null where the direct way is the only one allowed, or faster. */
    static WinogradGradient of(ConvShape shape) {
        boolean fits = shape.winograd() && shape.c() % Lanes.FLOATS == 0 && shape.k() % Lanes.FLOATS == 0;
        if (!fits) {
            return null;
        }
        long columns = PRODUCT_BYTES / ((long) POINTS * Float.BYTES * shape.c());
        int slices = (int) Math.ceilDiv(shape.k(), Math.max(Lanes.FLOATS, columns));
        int slice = Math.ceilDiv(shape.k() / Lanes.FLOATS, slices) * Lanes.FLOATS;
        // Vector operations, as in ConvWinograd; the products are read and written once per span.
        int tile = Winograd.tile(shape.r());
        double tiles = (double) shape.n() * ((shape.p() + tile - 1) / tile) * ((shape.q() + tile - 1) / tile);
        double in = shape.c() / Lanes.FLOATS, out = shape.k() / Lanes.FLOATS;
        double products = (tiles + 16) * POINTS * shape.c() * out;
        double transforms = tiles * (in * slices + out) * 220 + shape.c() * out * 300;
        return products + transforms < shape.work() / Lanes.FLOATS ? new WinogradGradient(shape, slice) : null;
    }

    /** False if a result is not finite, and hence none may be right. */
    boolean run(Tensor x, Tensor dy, Tensor dfilter, Scratch scratch, WorkerPool pool) {
        boolean parallel = shape.work() >= PARALLEL;
        boolean apart = parallel
                && pool.threads() > 1
                && spans >= pool.threads()
                && spans * POINTS * productPoint <= PARTS_BYTES;
        int parts = apart ? spans : 1;
        long zeroBytes = Math.max(source.zeroBytes(), (long) ConvTile.COLUMNS * Float.BYTES);
        long shared = zeroBytes + POINTS * parts * productPoint + (apart ? 0 : spanBytes());
        long own = ownBytes() + (apart ? spanBytes() : 0);
        long zeros = scratch.address(shared + own), products = zeros + zeroBytes;
        Copies.zero(zeros, zeroBytes);
        long images = products + POINTS * parts * productPoint;
        Room room = new Room(zeros, products, images, zeros + shared, own, Thread.currentThread(), scratch);
        for (int column = 0; column < shape.k(); column += slice) {
            int columns = Math.min(slice, shape.k() - column);
            long offset = (long) column * Float.BYTES;
            if (apart) {
                pool.run(spans, part -> span(part, x.address(), dy.address() + offset, columns, room));
            } else {
                for (int from = 0; from < tiles; from += span) {
                    transform(x.address(), dy.address() + offset, from, columns, room, parallel, pool);
                    multiply(from, columns, room, parallel, pool);
                }
            }
            if (!finish(dfilter.address() + offset, columns, parts, room, parallel, pool)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Memory of a run: products, perhaps of each span, transforms that threads share, and some of its own for each thread.
     */
    private record Room(
            long zeros, long products, long images, long callers, long bytes, Thread caller, Scratch scratch) {
        long own() {
            return Thread.currentThread() == caller ? callers : scratch.address(bytes);
        }
    }

    /** Of the transformed tiles. */
    private long spanBytes() {
        return POINTS * (imagePoint + signalPoint);
    }

    private long bufferBytes() {
        return Math.max(WinogradSource.BUFFER, 4L * SIDE * slice / Lanes.FLOATS * Lanes.BYTES);
    }

    private long edgeBytes() {
        return (long) tile * tile * slice * Float.BYTES;
    }

    /** A thread's own: a buffer of the transforms, an edge, and either the scratch of a tile or what a check has seen. */
    private long ownBytes() {
        return bufferBytes() + edgeBytes() + ConvTile.SCRATCH + Lanes.BYTES;
    }

    /** All of a span on the calling thread, its products to a part of their own. */
    private void span(int part, long image, long signal, int columns, Room room) {
        long own = room.own(), images = own + ownBytes();
        int from = part * span, count = Math.min(span, tiles - from);
        source.transform(image, room.zeros, from, count, images, imagePoint, own);
        signals(signal, from, count, columns, images + POINTS * imagePoint, own, own + bufferBytes());
        long products = room.products + part * POINTS * productPoint;
        for (int point = 0; point < POINTS; point++) {
            multiply(point, count, columns, images, products, false, room.zeros, own);
        }
    }

    private void transform(
            long image, long signal, int from, int columns, Room room, boolean parallel, WorkerPool pool) {
        int count = Math.min(span, tiles - from), parts = (count + SOME - 1) / SOME;
        Blocks.run(pool, parallel, 2 * parts, task -> {
            long buffer = room.own();
            int at = task / 2 * SOME, some = Math.min(SOME, count - at);
            if (task % 2 == 0) {
                long to = room.images + (long) at * shape.c() * Float.BYTES;
                source.transform(image, room.zeros, from + at, some, to, imagePoint, buffer);
            } else {
                long to = room.images + POINTS * imagePoint + (long) at * slice * Float.BYTES;
                signals(signal, from + at, some, columns, to, buffer, buffer + bufferBytes());
            }
        });
    }

    private void multiply(int from, int columns, Room room, boolean parallel, WorkerPool pool) {
        int count = Math.min(span, tiles - from);
        Blocks.run(
                pool,
                parallel,
                POINTS,
                point -> multiply(point, count, columns, room.images, room.products, from > 0, room.zeros, room.own()));
    }

    private void multiply(
            int point, int count, int columns, long images, long products, boolean add, long zeros, long own) {
        ConvTile.Walk walk = count == span ? whole : last;
        long scratch = own + bufferBytes() + edgeBytes(), bs = (long) slice * Float.BYTES;
        long a = images + point * imagePoint, b = images + POINTS * imagePoint + point * signalPoint;
        long steps = 0;
        for (int column = 0; column < columns; column += ConvTile.COLUMNS) {
            steps += walk.steps(Math.min(ConvTile.COLUMNS, columns - column));
        }
        // the next point's
        ConvTile.askAhead(
                scratch,
                steps,
                new ConvTile.Stream(a + imagePoint, imagePoint),
                new ConvTile.Stream(b + signalPoint, signalPoint));
        for (int column = 0; column < columns; column += ConvTile.COLUMNS) {
            long offset = (long) column * Float.BYTES, c = products + point * productPoint + offset;
            int wide = Math.min(ConvTile.COLUMNS, columns - column);
            ConvTile.panel(walk, a, b + offset, bs, c, wide, zeros, ConvTile.UNBOUNDED, add, scratch);
        }
    }

    /** From sums of products, which parts are added to, to taps; false if one is not finite. */
    private boolean finish(long filter, int columns, int parts, Room room, boolean parallel, WorkerPool pool) {
        long row = (long) shape.k() * Float.BYTES, tap = shape.c() * row;
        int vectors = columns / Lanes.FLOATS, some = Math.max(1, FINISHED / columns);
        AtomicBoolean finite = new AtomicBoolean(true);
        Blocks.run(pool, parallel, Math.ceilDiv(shape.c(), some), task -> {
            long buffer = room.own(), seen = buffer + ownBytes() - Lanes.BYTES;
            Copies.zero(seen, Lanes.BYTES);
            int first = task * some, count = Math.min(some, shape.c() - first);
            long pitch = (long) slice * Float.BYTES, sums = room.products + first * pitch, to = filter + first * row;
            int together = columns == slice ? count : 1; // rows without gaps
            for (int c = 0; c < count && parts > 1; c += together) {
                for (int point = 0; point < POINTS; point++) {
                    long sum = sums + c * pitch + point * productPoint;
                    Sums.add(sum, POINTS * productPoint, parts, sum, together * columns);
                }
            }
            if (WinogradCode.takes()) {
                WinogradCode.gradient(taps, sums, pitch, productPoint, count, vectors, to, row, tap, seen);
            } else {
                for (int c = 0; c < count; c++) {
                    WinogradOfTaps.gradient(
                            taps, sums + c * pitch, productPoint, vectors, buffer, to + c * row, tap, seen);
                }
            }
            if (!WinogradTransforms.isZero(seen)) {
                finite.set(false);
            }
        });
        return finite.get();
    }

    /** Transforms some columns of tiles of dy; tiles that stick out are filled up with zeros in {@code edge}. */
    private void signals(long signal, int from, int count, int columns, long to, long buffer, long edge) {
        long pixel = (long) shape.k() * Float.BYTES, bytes = (long) columns * Float.BYTES;
        int vectors = columns / Lanes.FLOATS;
        long pitch = (long) slice * Float.BYTES;
        // neighbours in machine code, else one
        for (int i = 0, run; i < count; i += run, to += run * pitch) {
            int number = from + i, y = number / across % down * tile, x = number % across * tile;
            run = WinogradCode.takes() ? Math.min(count - i, across - number % across) : 1;
            int high = Math.min(tile, shape.p() - y), wide = Math.min(run * tile, shape.q() - x);
            long at = signal + (((long) (number / across / down) * shape.p() + y) * shape.q() + x) * pixel;
            long row = shape.q() * pixel, step = pixel;
            if (WinogradCode.takes()) {
                WinogradCode.signals(taps, at, pixel, row, wide, high, vectors, to, pitch, signalPoint);
                continue;
            }
            if (high < tile || wide < tile) {
                Copies.zero(edge, tile * tile * bytes);
                Copies.pieces(at, row, step, high, wide, bytes, edge, tile * bytes, bytes);
                at = edge;
                row = tile * bytes;
                step = bytes;
            }
            if (taps == 3) {
                WinogradTransforms.signalColumns(at, row, step, vectors, buffer);
                WinogradTransforms.signalRows(buffer, vectors, to, signalPoint);
            } else {
                WinogradFive.signalColumns(at, row, step, vectors, buffer);
                WinogradFive.signalRows(buffer, vectors, to, signalPoint);
            }
        }
    }
}
