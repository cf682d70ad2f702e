package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/**
 * The gradient by an image of at most eight channels. As a correlation its register tiles would leave most lanes of a
 * vector empty. Instead a row of dy is multiplied with the filter as a matrix of K x (R S C): what every pixel of dy adds to
 * the R x S image pixels around it. Each image pixel then sums its R x S groups of C neighbouring floats, in Java or in
 * {@link ThinSumCode}.
 *
 * <p>A band of the image keeps the products of the rows of dy that it still needs in a ring.
 */
final class ConvThin {
    private static final int MOST_CHANNELS = 8;
    /** Multiply-adds below which threads cost more than they bring. */
    private static final double PARALLEL = 1 << 19;
    /** Bands of an image have at least so many rows: those at a border are multiplied twice. */
    private static final int FEW_ROWS = 32;

    private static final VectorSpecies<Float> FOUR = FloatVector.SPECIES_128;
    private static final VectorSpecies<Float> EIGHT = Lanes.FLOATS < 16 ? FOUR : FloatVector.SPECIES_256;

    private final ConvShape shape;
    private final ConvAxis h, w;
    private final int taps, panels;
    /** Rows of dy in the ring, and bytes of the products of a pixel and of a row. */
    private final int ring;

    private final long pixelBytes, rowBytes;
    private final int bands, band;
    private final ConvTile.Walk walk;
    /** Of every image column: where its terms lie in the products of a row, from {@code firstTerm[x]} on. */
    private final long[] terms;

    private final int[] firstTerm;
    /** Null where the sums are to be in Java. */
    final ThinSumCode code;

    ConvThin(ConvShape shape) {
        this(shape, true);
    }

    private ConvThin(ConvShape shape, boolean inCode) {
        this.shape = shape;
        h = shape.backwardH();
        w = shape.backwardW();
        taps = shape.r() * shape.s() * shape.c();
        panels = (taps + ConvTile.COLUMNS - 1) / ConvTile.COLUMNS;
        pixelBytes = (long) panels * ConvTile.COLUMNS * Float.BYTES;
        rowBytes = shape.q() * pixelBytes;
        ring = h.high() - h.low() + 1;
        bands = Math.max(1, shape.h() / FEW_ROWS);
        band = (shape.h() + bands - 1) / bands;
        ConvRows rows = ConvRows.allocate(shape.q());
        for (int q = 0; q < shape.q(); q++) {
            rows.set(q, (long) q * shape.k() * Float.BYTES, q * pixelBytes);
        }
        walk = new ConvTile.Walk(new long[1], shape.k(), Float.BYTES, rows.pad());
        firstTerm = new int[shape.w() + 1];
        long[] all = new long[shape.w() * shape.s()];
        int count = 0;
        for (int x = 0; x < shape.w(); x++) {
            firstTerm[x] = count;
            for (ConvAxis.Tap tap : w.phases().get(x % w.spread())) {
                int q = x / w.spread() + tap.offset();
                if (q >= 0 && q < shape.q()) {
                    all[count++] = q * pixelBytes + (long) tap.index() * shape.c() * Float.BYTES;
                }
            }
        }
        firstTerm[shape.w()] = count;
        terms = Arrays.copyOf(all, count);
        code = inCode ? ThinSumCode.of(terms, firstTerm, shape.c(), shape.r()) : null;
    }

    /** With its sums in Java on any machine. */
    static ConvThin inJava(ConvShape shape) {
        return new ConvThin(shape, false);
    }

    /** For few image channels and filters of more than one tap. */
    static boolean fits(ConvShape shape) {
        return shape.c() >= 1
                && shape.c() <= Math.min(MOST_CHANNELS, Lanes.FLOATS / 2)
                && shape.groups() == 1
                && shape.k() > 0
                && shape.r() * shape.s() > 1;
    }

    void run(Tensor dy, Tensor filter, Tensor dx, Scratch scratch, WorkerPool pool) {
        long signal = dy.address(), image = dx.address();
        long k = shape.k(), filterBytes = panels * k * ConvTile.COLUMNS * Float.BYTES;
        long zeroBytes = (long) ConvTile.COLUMNS * Float.BYTES;
        long ownBytes = ring * rowBytes + Lanes.BYTES + ConvTile.SCRATCH;
        long packed = scratch.address(filterBytes + zeroBytes + ownBytes), zeros = packed + filterBytes;
        Copies.zero(zeros, zeroBytes);
        for (int panel = 0; panel < panels; panel++) {
            long to = packed + panel * k * ConvTile.COLUMNS * Float.BYTES;
            int column = panel * ConvTile.COLUMNS, wide = Math.min(ConvTile.COLUMNS, taps - column);
            // columns of the matrix are rows of the filter
            long from = filter.address() + column * k * Float.BYTES;
            Copies.rows(from, Float.BYTES, k * Float.BYTES, shape.k(), wide, to, ConvTile.COLUMNS);
        }
        Thread caller = Thread.currentThread();
        Blocks.run(pool, shape.work() >= PARALLEL, shape.n() * bands, task -> {
            long own = Thread.currentThread() == caller ? zeros + zeroBytes : scratch.address(ownBytes);
            int n = task / bands, from = task % bands * band;
            band(signal, image, n, from, Math.min(shape.h(), from + band), packed, zeros, own);
        });
    }

    private void band(long signal, long image, int n, int from, int to, long packed, long zeros, long own) {
        long tile = own + ring * rowBytes + Lanes.BYTES;
        long line = (long) shape.w() * shape.c() * Float.BYTES;
        boolean few = shape.c() <= FOUR.length();
        VectorMask<Float> live = (few ? FOUR : EIGHT).indexInRange(0, shape.c());
        long[] rows = new long[shape.r()];
        int done = Math.max(0, from / h.spread() + h.low());
        for (int y = from; y < to; y++) {
            int unit = y / h.spread();
            for (; done < Math.min(shape.p(), unit + h.high() + 1); done++) {
                long a = signal + ((long) n * shape.p() + done) * shape.q() * shape.k() * Float.BYTES;
                multiply(a, packed, own + done % ring * rowBytes, zeros, tile);
            }
            long target = image + ((long) n * shape.h() + y) * line;
            int count = 0;
            for (ConvAxis.Tap tap : h.phases().get(y % h.spread())) {
                int p = unit + tap.offset();
                if (p >= 0 && p < shape.p()) {
                    rows[count++] =
                            own + p % ring * rowBytes + (long) tap.index() * shape.s() * shape.c() * Float.BYTES;
                }
            }
            if (code != null) {
                code.sum(rows, count, target);
            } else if (few) {
                sumFour(rows, count, target, live);
            } else {
                sumEight(rows, count, target, live);
            }
        }
    }

    private void multiply(long a, long packed, long to, long zeros, long tile) {
        long step = (long) ConvTile.COLUMNS * Float.BYTES;
        ConvTile.askNothing(tile);
        for (int panel = 0; panel < panels; panel++) {
            long b = packed + panel * shape.k() * step;
            boolean two = taps - panel * ConvTile.COLUMNS > Lanes.FLOATS;
            int wide = two ? ConvTile.COLUMNS : Lanes.FLOATS;
            ConvTile.panel(walk, a, b, step, to + panel * step, wide, zeros, ConvTile.UNBOUNDED, false, tile);
        }
    }

    /** Every pixel of an image row from the products of {@code count} rows of dy, each at its row of taps. */
    private void sumFour(long[] rows, int count, long target, VectorMask<Float> live) {
        long pixel = (long) shape.c() * Float.BYTES;
        for (int x = 0; x < shape.w(); x++, target += pixel) {
            FloatVector sum = FloatVector.zero(FOUR);
            for (int r = 0; r < count; r++) {
                long row = rows[r];
                for (int i = firstTerm[x]; i < firstTerm[x + 1]; i++) {
                    sum = sum.add(FloatVector.fromMemorySegment(FOUR, ALL, row + terms[i] & ADDRESS, Lanes.ORDER));
                }
            }
            sum.intoMemorySegment(ALL, target & ADDRESS, Lanes.ORDER, live);
        }
    }

    /** The same for more channels: the width of a vector must be a constant. */
    private void sumEight(long[] rows, int count, long target, VectorMask<Float> live) {
        long pixel = (long) shape.c() * Float.BYTES;
        for (int x = 0; x < shape.w(); x++, target += pixel) {
            FloatVector sum = FloatVector.zero(EIGHT);
            for (int r = 0; r < count; r++) {
                long row = rows[r];
                for (int i = firstTerm[x]; i < firstTerm[x + 1]; i++) {
                    sum = sum.add(FloatVector.fromMemorySegment(EIGHT, ALL, row + terms[i] & ADDRESS, Lanes.ORDER));
                }
            }
            sum.intoMemorySegment(ALL, target & ADDRESS, Lanes.ORDER, live);
        }
    }
}
