package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The gradient by the filter where images have one channel and results few: {@link FilterGradient} fills a lane per
 * result channel. Here lanes run along the pixels of a row, which are neighbours in x. A band of an image is copied between
 * zeros, dy is turned into a plane per channel, its rows padded with zeros to whole vectors, and a tile sums five taps times
 * three planes lane by lane; or both in {@link ThinFilterCode}.
 *
 * <p>Bands are dealt out to chunks as in {@link FilterGradient}; the chunks' sums are added in order, then their lanes. A
 * value that is not finite may meet a padding zero: then {@link #run} says no.
 */
final class ThinFilterGradient {
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final int TAPS = ThinFilterCode.TAPS, PLANES = ThinFilterCode.PLANES;
    private static final long TILE = (long) TAPS * PLANES * Lanes.BYTES;
    /** Channels that are turned into planes at once, and the planes of a band, in whole tiles. */
    private static final int TURNED = ThinRows.CHANNELS, ALL_PLANES = 9;

    private static final int CHUNKS = 16;
    /**
     * Bytes of a band's planes, within an L1 cache. Its copied image comes on top: a row for each nine of planes, and the
     * rows it shares with the next band.
     */
    private static final int BAND = 32 << 10;
    /** Always 1, but not to the compiler. */
    private static int step = 1;

    private final ConvShape shape;
    private final int vectors, band, bands, chunks, tapGroups, planeGroups;
    /** Bytes of a row of a plane, a plane, a row of the copied image and all of it, and of a chunk's sums. */
    private final long line, plane, row, image, part;
    /** Where they lie in the copied image, the last one again to fill a tile. */
    private final long[] taps;
    /** Null where a band's work is to be in Java. */
    final ThinFilterCode code;

    private ThinFilterGradient(ConvShape shape, boolean inCode) {
        this.shape = shape;
        vectors = (shape.q() + Lanes.FLOATS - 1) / Lanes.FLOATS;
        line = (long) vectors * Lanes.BYTES;
        row = ThinRows.row(shape, line);
        band = Math.clamp(BAND / (ALL_PLANES * line), 1, shape.p());
        bands = (shape.p() + band - 1) / band;
        plane = band * line;
        image = ((band - 1L) * shape.geometry().strideH() + ThinRows.reach(shape)) * row;
        chunks = Math.min(CHUNKS, shape.n() * bands);
        tapGroups = (shape.r() * shape.s() + TAPS - 1) / TAPS;
        planeGroups = (shape.k() + PLANES - 1) / PLANES;
        part = tapGroups * planeGroups * TILE;
        long[] offsets = ThinRows.offsets(shape, row);
        taps = Arrays.copyOf(offsets, tapGroups * TAPS);
        Arrays.fill(taps, offsets.length, taps.length, offsets[offsets.length - 1]);
        code = inCode ? ThinFilterCode.of(taps, shape.k(), shape.q(), band) : null;
    }

    /** Null where {@link FilterGradient} is as good. */
    static ThinFilterGradient of(ConvShape shape) {
        return ThinRows.fits(shape) ? new ThinFilterGradient(shape, true) : null;
    }

    /** Without machine code on any machine. */
    static ThinFilterGradient inJava(ConvShape shape) {
        return new ThinFilterGradient(shape, false);
    }

    /** False if a result is not finite: what was written is then to be computed again. */
    boolean run(Tensor x, Tensor dy, Tensor dfilter, Scratch scratch, WorkerPool pool) {
        long from = x.address(), signal = dy.address();
        long planes = ALL_PLANES * plane, ownBytes = planes + (image + 63 & -64), shared = (chunks + 1) * part;
        long parts = scratch.address(shared + ownBytes);
        boolean parallel = shape.work() >= ThinRows.PARALLEL;
        Thread caller = Thread.currentThread();
        Blocks.run(pool, parallel, chunks, chunk -> {
            long own = Thread.currentThread() == caller ? parts + shared : scratch.address(ownBytes);
            // the code writes whole vectors of the planes that it has
            long written = code == null ? 0 : shape.k() * plane;
            Copies.zero(own + written, planes - written);
            Copies.zero(parts + chunk * part, part);
            int units = shape.n() * bands;
            int first = (int) ((long) units * chunk / chunks), last = (int) ((long) units * (chunk + 1) / chunks);
            for (int unit = first; unit < last; unit++) {
                unit(unit, from, signal, parts + chunk * part, own, own + planes);
            }
        });
        long sums = parts + chunks * part;
        Sums.rows(pool, false, parts, part, chunks, sums, part / Float.BYTES);
        return addLanes(sums, dfilter.address());
    }

    private void unit(int unit, long x, long dy, long sums, long planes, long copy) {
        int n = unit / bands, top = unit % bands * band, lines = Math.min(band, shape.p() - top);
        int strideH = shape.geometry().strideH(), rows = (int) ((lines - 1L) * strideH + ThinRows.reach(shape));
        ThinRows.copy(shape, row, x + (long) n * shape.h() * shape.w() * Float.BYTES, top * strideH, rows, copy);
        long first = (long) n * shape.p() + top;
        if (code != null) {
            long signal = dy + 4L * first * shape.q() * shape.k();
            code.add(signal, lines, copy, row * strideH, planes, plane, sums);
            return;
        }
        turn(dy, first, lines, planes);
        for (int t = 0; t < tapGroups; t++) {
            for (int g = 0; g < planeGroups; g++) {
                long to = sums + (t * planeGroups + g) * TILE;
                tile(lines, vectors, copy, taps, t * TAPS, row * strideH, planes + g * PLANES * plane, plane, line, to);
            }
        }
    }

    /** Rows of dy as rows of planes; eight channels of a pixel are read where dy goes on behind it. */
    private void turn(long dy, long first, int lines, long planes) {
        int k = shape.k();
        long pixel = 4L * k, end = dy + (long) shape.n() * shape.p() * shape.q() * pixel;
        for (int y = 0; y < lines; y++) {
            long from = dy + (first + y) * shape.q() * pixel, to = planes + y * line;
            if (TransposeCode.works()) {
                TransposeCode.turn(from, pixel, shape.q(), k, to, plane);
                continue;
            }
            int q = 0;
            for (; q + 8 <= shape.q() && from + (q + 7) * pixel + 4L * TURNED <= end; q += 8) {
                GemmTranspose.eight(from + q * pixel, pixel, TURNED, to + 4L * q, plane);
            }
            for (; q < shape.q(); q++) {
                for (int j = 0; j < k; j++) {
                    ALL.set(
                            FLOAT,
                            to + j * plane + 4L * q & ADDRESS,
                            ALL.get(FLOAT, from + q * pixel + 4L * j & ADDRESS));
                }
            }
        }
    }

    private boolean addLanes(long sums, long filter) {
        float watch = 0;
        for (int tap = 0; tap < shape.r() * shape.s(); tap++) {
            for (int k = 0; k < shape.k(); k++) {
                long tile = sums + (tap / TAPS * planeGroups + k / PLANES) * TILE;
                long at = tile + (tap % TAPS * PLANES + k % PLANES) * (long) Lanes.BYTES;
                float sum = 0;
                for (int lane = 0; lane < Lanes.FLOATS; lane++) {
                    sum += ALL.get(FLOAT, at + 4L * lane & ADDRESS);
                }
                watch += 0 * sum;
                ALL.set(FLOAT, filter + 4L * ((long) tap * shape.k() + k) & ADDRESS, sum);
            }
        }
        return watch == 0;
    }

    /** Adds to 15 vectors the products of rows of pixels, at five taps, with rows of three planes. */
    private static void tile(
            int lines, int vectors, long x, long[] taps, int tap, long lineX, long y, long plane, long lineY, long to) {
        long x0 = x + taps[tap] & ADDRESS, x1 = x + taps[tap + 1] & ADDRESS, x2 = x + taps[tap + 2] & ADDRESS;
        long x3 = x + taps[tap + 3] & ADDRESS, x4 = x + taps[tap + 4] & ADDRESS;
        long y0 = y & ADDRESS, y1 = y + plane & ADDRESS, y2 = y + 2 * plane & ADDRESS;
        FloatVector s00 = FloatVector.zero(S), s01 = s00, s02 = s00, s10 = s00, s11 = s00, s12 = s00, s20 = s00;
        FloatVector s21 = s00, s22 = s00, s30 = s00, s31 = s00, s32 = s00, s40 = s00, s41 = s00, s42 = s00;
        for (int i = 0, one = step; i < lines; i += one) {
            long atX = i * lineX, atY = i * lineY;
            for (int v = 0; v < vectors; v += one) {
                atX &= Lanes.OFFSET;
                atY &= Lanes.OFFSET;
                FloatVector d0 = FloatVector.fromMemorySegment(S, ALL, y0 + atY, Lanes.ORDER);
                FloatVector d1 = FloatVector.fromMemorySegment(S, ALL, y1 + atY, Lanes.ORDER);
                FloatVector d2 = FloatVector.fromMemorySegment(S, ALL, y2 + atY, Lanes.ORDER);
                FloatVector p = FloatVector.fromMemorySegment(S, ALL, x0 + atX, Lanes.ORDER);
                s00 = p.fma(d0, s00);
                s01 = p.fma(d1, s01);
                s02 = p.fma(d2, s02);
                p = FloatVector.fromMemorySegment(S, ALL, x1 + atX, Lanes.ORDER);
                s10 = p.fma(d0, s10);
                s11 = p.fma(d1, s11);
                s12 = p.fma(d2, s12);
                p = FloatVector.fromMemorySegment(S, ALL, x2 + atX, Lanes.ORDER);
                s20 = p.fma(d0, s20);
                s21 = p.fma(d1, s21);
                s22 = p.fma(d2, s22);
                p = FloatVector.fromMemorySegment(S, ALL, x3 + atX, Lanes.ORDER);
                s30 = p.fma(d0, s30);
                s31 = p.fma(d1, s31);
                s32 = p.fma(d2, s32);
                p = FloatVector.fromMemorySegment(S, ALL, x4 + atX, Lanes.ORDER);
                s40 = p.fma(d0, s40);
                s41 = p.fma(d1, s41);
                s42 = p.fma(d2, s42);
                atX += Lanes.BYTES;
                atY += Lanes.BYTES;
            }
        }
        to &= ADDRESS;
        FloatVector.fromMemorySegment(S, ALL, to, Lanes.ORDER).add(s00).intoMemorySegment(ALL, to, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + Lanes.BYTES, Lanes.ORDER)
                .add(s01)
                .intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + 2 * Lanes.BYTES, Lanes.ORDER)
                .add(s02)
                .intoMemorySegment(ALL, to + 2 * Lanes.BYTES, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + 3 * Lanes.BYTES, Lanes.ORDER)
                .add(s10)
                .intoMemorySegment(ALL, to + 3 * Lanes.BYTES, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + 4 * Lanes.BYTES, Lanes.ORDER)
                .add(s11)
                .intoMemorySegment(ALL, to + 4 * Lanes.BYTES, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + 5 * Lanes.BYTES, Lanes.ORDER)
                .add(s12)
                .intoMemorySegment(ALL, to + 5 * Lanes.BYTES, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + 6 * Lanes.BYTES, Lanes.ORDER)
                .add(s20)
                .intoMemorySegment(ALL, to + 6 * Lanes.BYTES, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + 7 * Lanes.BYTES, Lanes.ORDER)
                .add(s21)
                .intoMemorySegment(ALL, to + 7 * Lanes.BYTES, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + 8 * Lanes.BYTES, Lanes.ORDER)
                .add(s22)
                .intoMemorySegment(ALL, to + 8 * Lanes.BYTES, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + 9 * Lanes.BYTES, Lanes.ORDER)
                .add(s30)
                .intoMemorySegment(ALL, to + 9 * Lanes.BYTES, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + 10 * Lanes.BYTES, Lanes.ORDER)
                .add(s31)
                .intoMemorySegment(ALL, to + 10 * Lanes.BYTES, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + 11 * Lanes.BYTES, Lanes.ORDER)
                .add(s32)
                .intoMemorySegment(ALL, to + 11 * Lanes.BYTES, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + 12 * Lanes.BYTES, Lanes.ORDER)
                .add(s40)
                .intoMemorySegment(ALL, to + 12 * Lanes.BYTES, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + 13 * Lanes.BYTES, Lanes.ORDER)
                .add(s41)
                .intoMemorySegment(ALL, to + 13 * Lanes.BYTES, Lanes.ORDER);
        FloatVector.fromMemorySegment(S, ALL, to + 14 * Lanes.BYTES, Lanes.ORDER)
                .add(s42)
                .intoMemorySegment(ALL, to + 14 * Lanes.BYTES, Lanes.ORDER);
    }
}
