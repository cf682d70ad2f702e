package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * A convolution of images of one channel into few: {@link Correlation} fills a lane per result channel. Here lanes run along
 * the pixels of a row, as in {@link ThinFilterGradient}: a tile sums two vectors of pixels for six channels, a row of results
 * lies as a plane per channel and is turned into pixels. Every result is one chain of fused multiply-adds in the order of taps.
 */
final class ThinCorrelation {
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final int PLANES = 6;
    /** Rows of the turned tile, in whole tiles. */
    private static final int ALL_PLANES = 12;
    /**
     * Bytes of the rows that a band adds to the copied image, within an L1 cache. What else a band touches comes on top:
     * the rows it shares with the next one, a row of planes, and the filter.
     */
    private static final int BAND = 32 << 10;
    /** Always 1, but not to the compiler. */
    private static int step = 1;

    private final ConvShape shape;
    private final int vectors, band, bands, groups;
    private final long[] taps;
    /** Bytes of a row of a plane, of a row of the copied image and of all of it, of a group's filter with its bias. */
    private final long line, row, image, filterBytes;

    private ThinCorrelation(ConvShape shape) {
        this.shape = shape;
        vectors = (shape.q() + Lanes.FLOATS - 1) / Lanes.FLOATS;
        line = (long) vectors * Lanes.BYTES;
        row = ThinRows.row(shape, line);
        band = Math.clamp(BAND / (row * shape.geometry().strideH()), 1, shape.p());
        bands = (shape.p() + band - 1) / band;
        image = ((band - 1L) * shape.geometry().strideH() + ThinRows.reach(shape)) * row;
        groups = (shape.k() + PLANES - 1) / PLANES;
        taps = new long[shape.r() * shape.s()];
        for (int tap = 0; tap < taps.length; tap++) {
            taps[tap] = ThinRows.offset(shape, tap, row);
        }
        filterBytes = (taps.length + 1L) * PLANES * Float.BYTES;
    }

    /** Null where {@link Correlation} is as good. */
    static ThinCorrelation of(ConvShape shape) {
        return ThinRows.fits(shape) ? new ThinCorrelation(shape) : null;
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
        long from = x.address(), to = y.address();
        long shared = groups * filterBytes + 63 & -64, ownBytes = ALL_PLANES * line + image;
        long packed = scratch.address(shared + ownBytes);
        pack(filter.address(), bias == null ? 0 : bias.address(), packed);
        int floor = relu ? 0 : ConvTile.UNBOUNDED;
        Thread caller = Thread.currentThread();
        Blocks.run(pool, shape.work() >= ThinRows.PARALLEL, shape.n() * bands, unit -> {
            long own = Thread.currentThread() == caller ? packed + shared : scratch.address(ownBytes);
            unit(unit, from, to, packed, own, own + ALL_PLANES * line, floor, epilogue);
        });
    }

    /** Per group of planes: six channels of each tap, then of the bias; what does not exist is zero. */
    private void pack(long filter, long bias, long to) {
        int k = shape.k();
        for (int g = 0; g < groups; g++, to += filterBytes) {
            int live = Math.min(PLANES, k - g * PLANES);
            Copies.rows(filter + 4L * g * PLANES, 4L * k, Float.BYTES, taps.length, live, to, PLANES);
            long end = to + filterBytes - 4L * PLANES;
            if (bias == 0) {
                Copies.zero(end, 4L * PLANES);
            } else {
                Copies.rows(bias + 4L * g * PLANES, 0, Float.BYTES, 1, live, end, PLANES);
            }
        }
    }

    private void unit(int unit, long x, long y, long packed, long planes, long copy, int floor, Epilogue epilogue) {
        int n = unit / bands, top = unit % bands * band, lines = Math.min(band, shape.p() - top);
        int strideH = shape.geometry().strideH();
        int rows = (int) ((lines - 1L) * strideH + ThinRows.reach(shape));
        ThinRows.copy(shape, row, x + 4L * n * shape.h() * shape.w(), top * strideH, rows, copy);
        long pixel = 4L * shape.k(), first = ((long) n * shape.p() + top) * shape.q();
        for (int i = 0; i < lines; i++) {
            long source = copy + i * strideH * row;
            for (int g = 0; g < groups; g++) {
                long to = planes + g * PLANES * line;
                for (int v = 0; v < vectors; v += 2) {
                    long at = (long) v * Lanes.BYTES, next = v + 1 < vectors ? at + Lanes.BYTES : at;
                    tile(taps, source + at, source + next, packed + g * filterBytes, floor, to + at, to + next, line);
                }
            }
            turn(planes, y + (first + (long) i * shape.q()) * pixel);
        }
        if (epilogue != null) {
            int pixels = lines * shape.q();
            epilogue.apply(y + first * pixel, pixel, Math.toIntExact(first), pixels, 0, shape.k());
        }
    }

    /** A row of planes as pixels: eight channels are written where the row goes on behind a pixel, in order. */
    private void turn(long planes, long to) {
        int k = shape.k(), q = 0;
        for (; (q + 7) * k + 8 <= shape.q() * k; q += 8) {
            GemmTranspose.eight(planes + 4L * q, line, 8, to + 4L * q * k, 4L * k);
        }
        for (; q < shape.q(); q++) {
            for (int j = 0; j < k; j++) {
                ALL.set(FLOAT, to + 4L * (q * k + j) & ADDRESS, ALL.get(FLOAT, planes + j * line + 4L * q & ADDRESS));
            }
        }
    }

    /** Two vectors of pixels of six planes, {@code line} apart, at {@code c} and {@code d}; the bias lies behind the filter. */
    private static void tile(long[] taps, long x, long u, long filter, int floor, long c, long d, long line) {
        x &= ADDRESS;
        u &= ADDRESS;
        FloatVector a0 = FloatVector.zero(S), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0;
        FloatVector b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0, b5 = a0;
        FloatVector f;
        for (int t = 0, one = step; t < taps.length; t += one) {
            long at = taps[t] & Lanes.OFFSET;
            filter &= ADDRESS;
            FloatVector p = FloatVector.fromMemorySegment(S, ALL, x + at, Lanes.ORDER);
            FloatVector r = FloatVector.fromMemorySegment(S, ALL, u + at, Lanes.ORDER);
            f = FloatVector.broadcast(S, ALL.get(FLOAT, filter));
            a0 = p.fma(f, a0);
            b0 = r.fma(f, b0);
            f = FloatVector.broadcast(S, ALL.get(FLOAT, filter + 4));
            a1 = p.fma(f, a1);
            b1 = r.fma(f, b1);
            f = FloatVector.broadcast(S, ALL.get(FLOAT, filter + 8));
            a2 = p.fma(f, a2);
            b2 = r.fma(f, b2);
            f = FloatVector.broadcast(S, ALL.get(FLOAT, filter + 12));
            a3 = p.fma(f, a3);
            b3 = r.fma(f, b3);
            f = FloatVector.broadcast(S, ALL.get(FLOAT, filter + 16));
            a4 = p.fma(f, a4);
            b4 = r.fma(f, b4);
            f = FloatVector.broadcast(S, ALL.get(FLOAT, filter + 20));
            a5 = p.fma(f, a5);
            b5 = r.fma(f, b5);
            filter += 4L * PLANES;
        }
        filter &= ADDRESS;
        c &= ADDRESS;
        d &= ADDRESS;
        line &= Lanes.OFFSET;
        FloatVector low = FloatVector.broadcast(S, Float.intBitsToFloat(floor)), v;
        f = FloatVector.broadcast(S, ALL.get(FLOAT, filter));
        v = f.add(a0);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, c, Lanes.ORDER);
        v = f.add(b0);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, d, Lanes.ORDER);
        f = FloatVector.broadcast(S, ALL.get(FLOAT, filter + 4));
        v = f.add(a1);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, c + line, Lanes.ORDER);
        v = f.add(b1);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, d + line, Lanes.ORDER);
        f = FloatVector.broadcast(S, ALL.get(FLOAT, filter + 8));
        v = f.add(a2);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, c + 2 * line, Lanes.ORDER);
        v = f.add(b2);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, d + 2 * line, Lanes.ORDER);
        f = FloatVector.broadcast(S, ALL.get(FLOAT, filter + 12));
        v = f.add(a3);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, c + 3 * line, Lanes.ORDER);
        v = f.add(b3);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, d + 3 * line, Lanes.ORDER);
        f = FloatVector.broadcast(S, ALL.get(FLOAT, filter + 16));
        v = f.add(a4);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, c + 4 * line, Lanes.ORDER);
        v = f.add(b4);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, d + 4 * line, Lanes.ORDER);
        f = FloatVector.broadcast(S, ALL.get(FLOAT, filter + 20));
        v = f.add(a5);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, c + 5 * line, Lanes.ORDER);
        v = f.add(b5);
        v.blend(low, v.compare(VectorOperators.LT, low)).intoMemorySegment(ALL, d + 5 * line, Lanes.ORDER);
    }
}
