package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;
import static io.quern.backend.vector.Lanes.ORDER;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The gradient by the filter of a network's first layer, 3x3 taps of three channels: {@link FilterGradient} reads dy, which is
 * most of the memory, once per eight filter elements. The nine elements of a filter row are neighbours in the image, so a
 * tile sums all of them for two vectors of channels, over bands of dy that stay in L2. Where a tile takes only a part of each pixel
 * of dy and dy comes from memory, bands are read in order first.
 *
 * <p>Bands are dealt out to chunks as in {@link FilterGradient}; the chunks' sums are added in order.
 */
final class StemFilterGradient {
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Filter elements of a tile: the taps of a filter row times their channels. */
    private static final int ELEMENTS = 9;

    private static final long TILE = 2L * ELEMENTS * BYTES;
    private static final int CHUNKS = 16;
    /** Bytes of dy in a band; two rows at least. */
    private static final long BAND = 256 << 10;
    /** Multiply-adds below which threads cost more than they bring. */
    private static final double PARALLEL = 1 << 19;
    /** Always 1, but not to the compiler. */
    private static int step = 1;

    private final ConvShape shape;
    private final StemRows rows;
    private final int band, bands, chunks;
    /** Whether pixels that are neighbours share two of three taps; whether dy is far away and read in parts of pixels. */
    private final boolean neighbours, fetched;
    /** Bytes of a chunk's filter, of a row of dy, and of the copied image. */
    private final long part, line, image;

    private StemFilterGradient(ConvShape shape) {
        this.shape = shape;
        rows = new StemRows(shape);
        line = 4L * shape.q() * shape.k();
        // as many bands as chunks where there are few images
        long rowsOfChunk = Math.ceilDiv((long) shape.n() * shape.p(), CHUNKS);
        int most = Math.clamp(rowsOfChunk, 2, shape.p() + 1);
        bands = Math.ceilDiv(shape.p(), Math.clamp(BAND / line, 2, most));
        band = Math.ceilDiv(shape.p(), bands);
        image = rows.bytes(band);
        chunks = Math.min(CHUNKS, shape.n() * bands);
        neighbours = shape.s() == 3 && shape.geometry().strideW() == 1 && shape.q() > 1;
        fetched = shape.k() > 2 * Lanes.FLOATS && (long) shape.n() * shape.p() * line > Copies.CACHED;
        part = shape.filterElements() * Float.BYTES + 63 & -64;
    }

    /** Null where {@link FilterGradient} is as good. */
    static StemFilterGradient of(ConvShape shape) {
        return ConvTile.LARGE
                        && shape.groups() == 1
                        && shape.s() * shape.c() == ELEMENTS
                        && shape.s() > 1
                        && shape.geometry().dilationW() == 1
                        && shape.r() > 0
                        && shape.k() > 0
                        && shape.k() % Lanes.FLOATS == 0
                        && shape.n() > 0
                        && shape.p() > 0
                        && shape.q() > 0
                ? new StemFilterGradient(shape)
                : null;
    }

    void run(Tensor x, Tensor dy, Tensor dfilter, Scratch scratch, WorkerPool pool) {
        long from = x.address(), signal = dy.address(), ownBytes = TILE + image, shared = chunks * part;
        long parts = scratch.address(shared + ownBytes);
        boolean parallel = shape.work() >= PARALLEL;
        Thread caller = Thread.currentThread();
        Blocks.run(pool, parallel, chunks, chunk -> {
            long own = Thread.currentThread() == caller ? parts + shared : scratch.address(ownBytes);
            Copies.zero(parts + chunk * part, part);
            int units = shape.n() * bands;
            int first = (int) ((long) units * chunk / chunks), last = (int) ((long) units * (chunk + 1) / chunks);
            for (int unit = first; unit < last; unit++) {
                unit(unit, from, signal, parts + chunk * part, own, own + TILE);
            }
        });
        Sums.rows(pool, false, parts, part, chunks, dfilter.address(), shape.filterElements());
    }

    private void unit(int unit, long x, long dy, long sums, long tile, long copy) {
        int n = unit / bands, top = unit % bands * band, lines = Math.min(band, shape.p() - top);
        rows.copy(x, n, top, lines, copy);
        long signal = dy + ((long) n * shape.p() + top) * line, bs = 4L * shape.k();
        if (fetched) {
            Copies.fetch(signal, lines * line, tile);
        }
        long lineX = shape.geometry().strideH() * rows.row(),
                cs = 4L * shape.geometry().strideW() * shape.c();
        int wide = 2 * Lanes.FLOATS;
        for (int k = 0; k < shape.k(); k += wide) {
            wide = Math.min(wide, shape.k() - k);
            long b = signal + 4L * k, to = sums + 4L * k;
            for (int r = 0; r < shape.r(); r++, to += ELEMENTS * bs) {
                long a = copy + r * shape.geometry().dilationH() * rows.row();
                if (wide > Lanes.FLOATS) {
                    sum9x2(lines, shape.q(), a, lineX, cs, b, line, bs, tile);
                } else if (neighbours) {
                    share9x1(lines, shape.q(), a, lineX, b, line, bs, tile);
                } else {
                    sum9x1(lines, shape.q(), a, lineX, cs, b, line, bs, tile);
                }
                add(tile, wide, to, bs);
            }
        }
    }

    /** The rows of a tile to those of a filter. */
    private static void add(long tile, int wide, long to, long pitch) {
        for (int i = 0; i < ELEMENTS; i++, to += pitch) {
            for (int j = 0; j < wide; j += Lanes.FLOATS, tile += BYTES) {
                long at = to + 4L * j & ADDRESS;
                FloatVector.fromMemorySegment(S, ALL, at, ORDER)
                        .add(FloatVector.fromMemorySegment(S, ALL, tile & ADDRESS, ORDER))
                        .intoMemorySegment(ALL, at, ORDER);
            }
        }
    }

    /** The products of nine neighbours in rows of pixels with two vectors of dy. */
    private static void sum9x2(int lines, int q, long x, long lineX, long cs, long dy, long lineY, long bs, long to) {
        FloatVector c0a = FloatVector.zero(S),
                c0b = c0a,
                c1a = c0a,
                c1b = c0a,
                c2a = c0a,
                c2b = c0a,
                c3a = c0a,
                c3b = c0a,
                c4a = c0a,
                c4b = c0a,
                c5a = c0a,
                c5b = c0a,
                c6a = c0a,
                c6b = c0a,
                c7a = c0a,
                c7b = c0a,
                c8a = c0a,
                c8b = c0a;
        for (int i = 0, one = step; i < lines; i += one, x += lineX, dy += lineY) {
            long a = x, b = dy;
            for (int p = 0; p < q; p += one) {
                a &= ADDRESS;
                b &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, ORDER);
                FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, b + BYTES, ORDER);
                FloatVector v;
                v = FloatVector.broadcast(S, ALL.get(FLOAT, a));
                c0a = v.fma(b0, c0a);
                c0b = v.fma(b1, c0b);
                v = FloatVector.broadcast(S, ALL.get(FLOAT, a + 4));
                c1a = v.fma(b0, c1a);
                c1b = v.fma(b1, c1b);
                v = FloatVector.broadcast(S, ALL.get(FLOAT, a + 8));
                c2a = v.fma(b0, c2a);
                c2b = v.fma(b1, c2b);
                v = FloatVector.broadcast(S, ALL.get(FLOAT, a + 12));
                c3a = v.fma(b0, c3a);
                c3b = v.fma(b1, c3b);
                v = FloatVector.broadcast(S, ALL.get(FLOAT, a + 16));
                c4a = v.fma(b0, c4a);
                c4b = v.fma(b1, c4b);
                v = FloatVector.broadcast(S, ALL.get(FLOAT, a + 20));
                c5a = v.fma(b0, c5a);
                c5b = v.fma(b1, c5b);
                v = FloatVector.broadcast(S, ALL.get(FLOAT, a + 24));
                c6a = v.fma(b0, c6a);
                c6b = v.fma(b1, c6b);
                v = FloatVector.broadcast(S, ALL.get(FLOAT, a + 28));
                c7a = v.fma(b0, c7a);
                c7b = v.fma(b1, c7b);
                v = FloatVector.broadcast(S, ALL.get(FLOAT, a + 32));
                c8a = v.fma(b0, c8a);
                c8b = v.fma(b1, c8b);
                a += cs;
                b += bs;
            }
        }
        to &= ADDRESS;
        c0a.intoMemorySegment(ALL, to, ORDER);
        c0b.intoMemorySegment(ALL, to + BYTES, ORDER);
        c1a.intoMemorySegment(ALL, to + 2 * BYTES, ORDER);
        c1b.intoMemorySegment(ALL, to + 3 * BYTES, ORDER);
        c2a.intoMemorySegment(ALL, to + 4 * BYTES, ORDER);
        c2b.intoMemorySegment(ALL, to + 5 * BYTES, ORDER);
        c3a.intoMemorySegment(ALL, to + 6 * BYTES, ORDER);
        c3b.intoMemorySegment(ALL, to + 7 * BYTES, ORDER);
        c4a.intoMemorySegment(ALL, to + 8 * BYTES, ORDER);
        c4b.intoMemorySegment(ALL, to + 9 * BYTES, ORDER);
        c5a.intoMemorySegment(ALL, to + 10 * BYTES, ORDER);
        c5b.intoMemorySegment(ALL, to + 11 * BYTES, ORDER);
        c6a.intoMemorySegment(ALL, to + 12 * BYTES, ORDER);
        c6b.intoMemorySegment(ALL, to + 13 * BYTES, ORDER);
        c7a.intoMemorySegment(ALL, to + 14 * BYTES, ORDER);
        c7b.intoMemorySegment(ALL, to + 15 * BYTES, ORDER);
        c8a.intoMemorySegment(ALL, to + 16 * BYTES, ORDER);
        c8b.intoMemorySegment(ALL, to + 17 * BYTES, ORDER);
    }

    private static void sum9x1(int lines, int q, long x, long lineX, long cs, long dy, long lineY, long bs, long to) {
        FloatVector c0 = FloatVector.zero(S), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0, c8 = c0;
        for (int i = 0, one = step; i < lines; i += one, x += lineX, dy += lineY) {
            long a = x, b = dy;
            for (int p = 0; p < q; p += one) {
                a &= ADDRESS;
                b &= ADDRESS;
                FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, ORDER);
                c0 = FloatVector.broadcast(S, ALL.get(FLOAT, a)).fma(b0, c0);
                c1 = FloatVector.broadcast(S, ALL.get(FLOAT, a + 4)).fma(b0, c1);
                c2 = FloatVector.broadcast(S, ALL.get(FLOAT, a + 8)).fma(b0, c2);
                c3 = FloatVector.broadcast(S, ALL.get(FLOAT, a + 12)).fma(b0, c3);
                c4 = FloatVector.broadcast(S, ALL.get(FLOAT, a + 16)).fma(b0, c4);
                c5 = FloatVector.broadcast(S, ALL.get(FLOAT, a + 20)).fma(b0, c5);
                c6 = FloatVector.broadcast(S, ALL.get(FLOAT, a + 24)).fma(b0, c6);
                c7 = FloatVector.broadcast(S, ALL.get(FLOAT, a + 28)).fma(b0, c7);
                c8 = FloatVector.broadcast(S, ALL.get(FLOAT, a + 32)).fma(b0, c8);
                a += cs;
                b += bs;
            }
        }
        to &= ADDRESS;
        c0.intoMemorySegment(ALL, to, ORDER);
        c1.intoMemorySegment(ALL, to + BYTES, ORDER);
        c2.intoMemorySegment(ALL, to + 2 * BYTES, ORDER);
        c3.intoMemorySegment(ALL, to + 3 * BYTES, ORDER);
        c4.intoMemorySegment(ALL, to + 4 * BYTES, ORDER);
        c5.intoMemorySegment(ALL, to + 5 * BYTES, ORDER);
        c6.intoMemorySegment(ALL, to + 6 * BYTES, ORDER);
        c7.intoMemorySegment(ALL, to + 7 * BYTES, ORDER);
        c8.intoMemorySegment(ALL, to + 8 * BYTES, ORDER);
    }

    /** The same for one vector of dy and pixels that are neighbours: a broadcast meets the three pixels that see it. */
    private static void share9x1(int lines, int q, long x, long lineX, long dy, long lineY, long bs, long to) {
        FloatVector c0 = FloatVector.zero(S), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0, c8 = c0;
        for (int i = 0, one = step; i < lines; i += one, x += lineX, dy += lineY) {
            long a = x & ADDRESS, b = dy & ADDRESS;
            FloatVector v;
            FloatVector m0 = FloatVector.fromMemorySegment(S, ALL, b, ORDER);
            v = FloatVector.broadcast(S, ALL.get(FLOAT, a));
            c0 = v.fma(m0, c0);
            v = FloatVector.broadcast(S, ALL.get(FLOAT, a + 4));
            c1 = v.fma(m0, c1);
            v = FloatVector.broadcast(S, ALL.get(FLOAT, a + 8));
            c2 = v.fma(m0, c2);
            a = a + 12 & ADDRESS;
            b = b + bs & ADDRESS;
            FloatVector n0 = FloatVector.fromMemorySegment(S, ALL, b, ORDER);
            v = FloatVector.broadcast(S, ALL.get(FLOAT, a));
            c0 = v.fma(n0, c0);
            c3 = v.fma(m0, c3);
            v = FloatVector.broadcast(S, ALL.get(FLOAT, a + 4));
            c1 = v.fma(n0, c1);
            c4 = v.fma(m0, c4);
            v = FloatVector.broadcast(S, ALL.get(FLOAT, a + 8));
            c2 = v.fma(n0, c2);
            c5 = v.fma(m0, c5);
            for (int p = 2; p < q; p += one) {
                a = a + 12 & ADDRESS;
                b = b + bs & ADDRESS;
                FloatVector d0 = FloatVector.fromMemorySegment(S, ALL, b, ORDER);
                v = FloatVector.broadcast(S, ALL.get(FLOAT, a));
                c6 = v.fma(m0, c6);
                c3 = v.fma(n0, c3);
                c0 = v.fma(d0, c0);
                v = FloatVector.broadcast(S, ALL.get(FLOAT, a + 4));
                c7 = v.fma(m0, c7);
                c4 = v.fma(n0, c4);
                c1 = v.fma(d0, c1);
                v = FloatVector.broadcast(S, ALL.get(FLOAT, a + 8));
                c8 = v.fma(m0, c8);
                c5 = v.fma(n0, c5);
                c2 = v.fma(d0, c2);
                m0 = n0;
                n0 = d0;
            }
            a = a + 12 & ADDRESS;
            v = FloatVector.broadcast(S, ALL.get(FLOAT, a));
            c6 = v.fma(m0, c6);
            c3 = v.fma(n0, c3);
            v = FloatVector.broadcast(S, ALL.get(FLOAT, a + 4));
            c7 = v.fma(m0, c7);
            c4 = v.fma(n0, c4);
            v = FloatVector.broadcast(S, ALL.get(FLOAT, a + 8));
            c8 = v.fma(m0, c8);
            c5 = v.fma(n0, c5);
            a = a + 12 & ADDRESS;
            v = FloatVector.broadcast(S, ALL.get(FLOAT, a));
            c6 = v.fma(n0, c6);
            v = FloatVector.broadcast(S, ALL.get(FLOAT, a + 4));
            c7 = v.fma(n0, c7);
            v = FloatVector.broadcast(S, ALL.get(FLOAT, a + 8));
            c8 = v.fma(n0, c8);
        }
        to &= ADDRESS;
        c0.intoMemorySegment(ALL, to, ORDER);
        c1.intoMemorySegment(ALL, to + BYTES, ORDER);
        c2.intoMemorySegment(ALL, to + 2 * BYTES, ORDER);
        c3.intoMemorySegment(ALL, to + 3 * BYTES, ORDER);
        c4.intoMemorySegment(ALL, to + 4 * BYTES, ORDER);
        c5.intoMemorySegment(ALL, to + 5 * BYTES, ORDER);
        c6.intoMemorySegment(ALL, to + 6 * BYTES, ORDER);
        c7.intoMemorySegment(ALL, to + 7 * BYTES, ORDER);
        c8.intoMemorySegment(ALL, to + 8 * BYTES, ORDER);
    }
}
