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
 *
 * <p>As with {@link ConvWinograd}, {@link #run} tells when a result is not finite.
 */
final class WinogradGradient {
    /** Bytes of transformed tiles of a span, and of all products at most. */
    private static final long SPAN_BYTES = 6 << 20, PRODUCT_BYTES = 12 << 20;
    /** Tiles that one task transforms. */
    private static final int SOME = 8;
    /** Keeps the 36 points apart in the sets of the caches. */
    private static final long SKEW = 5 * 64;

    private final ConvShape shape;
    private final ConvAxis h, w;
    /** Side of the filter and of a tile of dy. */
    private final int taps, tile;

    private final WinogradSource source;
    private final int down, across, tiles, span, panels;
    private final ConvTile.Walk whole, last;
    private final long imagePoint, signalPoint, productPoint;

    private WinogradGradient(ConvShape shape) {
        this.shape = shape;
        h = shape.forwardH();
        w = shape.forwardW();
        taps = shape.r();
        tile = Winograd.tile(taps);
        source = new WinogradSource(h, w, shape.c(), tile);
        down = (shape.p() + tile - 1) / tile;
        across = (shape.q() + tile - 1) / tile;
        tiles = shape.n() * down * across;
        panels = (shape.k() + ConvTile.COLUMNS - 1) / ConvTile.COLUMNS;
        int most = (int) Math.max(64, SPAN_BYTES / ((long) POINTS * Float.BYTES * (shape.c() + shape.k())));
        int spans = (tiles + most - 1) / most;
        span = (tiles + spans - 1) / spans;
        imagePoint = (long) span * shape.c() * Float.BYTES + SKEW;
        signalPoint = (long) span * shape.k() * Float.BYTES + SKEW;
        productPoint = (long) shape.c() * shape.k() * Float.BYTES + SKEW;
        ConvRows rows = ConvRows.allocate(shape.c());
        for (int c = 0; c < shape.c(); c++) {
            rows.set(c, (long) c * Float.BYTES, (long) c * shape.k() * Float.BYTES);
        }
        rows.pad();
        long step = (long) shape.c() * Float.BYTES;
        whole = new ConvTile.Walk(new long[1], span, step, rows);
        last = tiles % span == 0 ? whole : new ConvTile.Walk(new long[1], tiles % span, step, rows);
    }

    /** Null where the direct way is the only one allowed, or faster. */
    static WinogradGradient of(ConvShape shape) {
        boolean fits = shape.winograd()
                && shape.c() % Lanes.FLOATS == 0
                && shape.k() % Lanes.FLOATS == 0
                && (long) POINTS * shape.c() * shape.k() * Float.BYTES <= PRODUCT_BYTES;
        if (!fits) {
            return null;
        }
        // Vector operations, as in ConvWinograd; the products are read and written once per span.
        int tile = Winograd.tile(shape.r());
        double tiles = (double) shape.n() * ((shape.p() + tile - 1) / tile) * ((shape.q() + tile - 1) / tile);
        double in = shape.c() / Lanes.FLOATS, out = shape.k() / Lanes.FLOATS;
        double products = (tiles + 16) * POINTS * shape.c() * out;
        double transforms = tiles * (in + out) * 220 + shape.c() * out * 300;
        return products + transforms < shape.work() / Lanes.FLOATS ? new WinogradGradient(shape) : null;
    }

    /** False if a result is not finite, and hence none may be right. */
    boolean run(Tensor x, Tensor dy, Tensor dfilter, Scratch scratch, WorkerPool pool) {
        long image = x.address(), signal = dy.address(), filter = dfilter.address();
        long zeroBytes = Math.max(source.zeroBytes(), (long) ConvTile.COLUMNS * Float.BYTES);
        long shared = zeroBytes + POINTS * (imagePoint + signalPoint + productPoint);
        long bufferBytes = Math.max(WinogradSource.BUFFER, 4L * SIDE * shape.k() / Lanes.FLOATS * Lanes.BYTES);
        long edgeBytes = (long) tile * tile * shape.k() * Float.BYTES;
        long own = bufferBytes + edgeBytes + ConvTile.SCRATCH + Lanes.BYTES;
        long zeros = scratch.address(shared + own), images = zeros + zeroBytes;
        long signals = images + POINTS * imagePoint, products = signals + POINTS * signalPoint;
        Copies.zero(zeros, zeroBytes);
        Thread caller = Thread.currentThread();
        for (int start = 0; start < tiles; start += span) {
            int from = start, count = Math.min(span, tiles - from), parts = (count + SOME - 1) / SOME;
            pool.run(2 * parts, task -> {
                long buffer = Thread.currentThread() == caller ? zeros + shared : scratch.address(own);
                int at = task / 2 * SOME, some = Math.min(SOME, count - at);
                if (task % 2 == 0) {
                    long to = images + (long) at * shape.c() * Float.BYTES;
                    source.transform(image, zeros, from + at, some, to, imagePoint, buffer);
                } else {
                    long to = signals + (long) at * shape.k() * Float.BYTES;
                    signals(signal, from + at, some, to, buffer, buffer + bufferBytes);
                }
            });
            ConvTile.Walk walk = count == span ? whole : last;
            pool.run(POINTS, point -> {
                long buffer = Thread.currentThread() == caller ? zeros + shared : scratch.address(own);
                long a = images + point * imagePoint, b = signals + point * signalPoint;
                long tile = buffer + bufferBytes + edgeBytes;
                for (int panel = 0; panel < panels; panel++) {
                    long column = (long) panel * ConvTile.COLUMNS * Float.BYTES;
                    int wide = Math.min(ConvTile.COLUMNS, shape.k() - panel * ConvTile.COLUMNS);
                    long c = products + point * productPoint + column, bs = (long) shape.k() * Float.BYTES;
                    ConvTile.panel(walk, a, b + column, bs, c, wide, zeros, ConvTile.UNBOUNDED, from > 0, tile);
                }
            });
        }
        AtomicBoolean finite = new AtomicBoolean(true);
        pool.run(shape.c(), c -> {
            long buffer = Thread.currentThread() == caller ? zeros + shared : scratch.address(own);
            long seen = buffer + own - Lanes.BYTES, row = (long) c * shape.k() * Float.BYTES;
            long tap = (long) shape.c() * shape.k() * Float.BYTES;
            Copies.zero(seen, Lanes.BYTES);
            int vectors = shape.k() / Lanes.FLOATS;
            if (taps == 3) {
                WinogradTransforms.gradient(products + row, productPoint, vectors, buffer, filter + row, tap, seen);
            } else {
                WinogradFive.gradient(products + row, productPoint, vectors, buffer, filter + row, tap, seen);
            }
            if (!WinogradTransforms.isZero(seen)) {
                finite.set(false);
            }
        });
        return finite.get();
    }

    /** Transforms tiles of dy; those that stick out are filled up with zeros in {@code edge}. */
    private void signals(long signal, int from, int count, long to, long buffer, long edge) {
        long pixel = (long) shape.k() * Float.BYTES;
        int vectors = shape.k() / Lanes.FLOATS;
        for (int i = 0; i < count; i++, to += pixel) {
            int number = from + i, y = number / across % down * tile, x = number % across * tile;
            int high = Math.min(tile, shape.p() - y), wide = Math.min(tile, shape.q() - x);
            long at = signal + (((long) (number / across / down) * shape.p() + y) * shape.q() + x) * pixel;
            long row = shape.q() * pixel;
            if (high < tile || wide < tile) {
                Copies.zero(edge, tile * tile * pixel);
                for (int r = 0; r < high; r++) {
                    Copies.copy(at + r * row, edge + r * tile * pixel, wide * pixel);
                }
                at = edge;
                row = tile * pixel;
            }
            if (taps == 3) {
                WinogradTransforms.signalColumns(at, row, pixel, vectors, buffer);
                WinogradTransforms.signalRows(buffer, vectors, to, signalPoint);
            } else {
                WinogradFive.signalColumns(at, row, pixel, vectors, buffer);
                WinogradFive.signalRows(buffer, vectors, to, signalPoint);
            }
        }
    }
}
