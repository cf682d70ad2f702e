package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.WorkerPool;
import io.quern.backend.ffi.MachineCode;
import io.quern.op.PoolGeometry;
import io.quern.tensor.Tensor;

/**
 * Maxima over windows as machine code, for x86-64 with AVX-512, with the bits of {@link PoolMaximum}: of each vector of channels all taps
 * in turn, column by column as there, and no row that is stored between. For windows that share so few pixels that this is no more work.
 */
final class MaxPoolCode {
    /** Vectors that a call compares at most: some microseconds, see {@link MachineCode#brief}. */
    private static final int WORK = 1 << 12;

    /** Where in the argument the numbers of a call are, in bytes: the first tap, the first result, and rows of these. */
    private static final int X = 0, Y = 8, ROWS = 16;
    /** Bytes: between rows of windows, of a row of results, between windows, of a pixel, and of an image row. */
    private static final int X_STEP = 24, Y_STEP = 32, WINDOW_STEP = 40, PIXEL = 48, LINE = 56;
    /** Windows of a row, and of each what lies in the image. */
    private static final int WINDOWS = 64, TAP_ROWS = 72, TAP_COLUMNS = 80;
    /** Of a pixel the whole vectors, whether there is more, and its bytes and lanes. */
    private static final int VECTORS = 88, REST = 96, REST_BYTES = 104, REST_LANES = 112, ARGUMENT = 120;

    private static final int LARGEST = 0, TAP = 1, LANES = 1, NAN = 2;

    private static final MachineCode CODE = make();
    private static final Scratch ARGUMENTS = new ThreadScratch();

    private final PoolGeometry geometry;
    private final Tensor x;
    private final Tensor y;
    private final int c;
    /** The windows of an axis that do not reach over an end of the image. */
    private final Whole rows;

    private final Whole columns;

    MaxPoolCode(Tensor x, Tensor y, PoolGeometry geometry) {
        this.geometry = geometry;
        this.x = x;
        this.y = y;
        c = x.dim(3);
        rows = Whole.of(x.dim(1), y.dim(1), geometry.windowH(), geometry.strideH(), geometry.paddingH());
        columns = Whole.of(x.dim(2), y.dim(2), geometry.windowW(), geometry.strideW(), geometry.paddingW());
    }

    private record Whole(int from, int end) {
        static Whole of(int pixels, int windows, int window, int stride, int padding) {
            int from = Math.min(windows, Math.ceilDiv(padding, stride));
            return new Whole(from, Math.clamp(Math.floorDiv(pixels + padding - window, stride) + 1, from, windows));
        }

        /** How many from this one on are alike. */
        int alike(int window) {
            return window >= from && window < end ? end - window : 1;
        }
    }

    /** Whether there is such code for these windows. Of fewer channels several pixels share a vector: see {@link PixelGroup}. */
    static boolean takes(PoolGeometry geometry, int c) {
        // with rows combined first a column is compared once for all windows that share it
        long one = (long) geometry.windowW() * (geometry.windowH() - 1L);
        return CODE != null
                && c > Lanes.FLOATS / 2
                && one <= (long) geometry.windowH() * geometry.strideW()
                && (long) geometry.taps() * Math.ceilDiv(c, Lanes.FLOATS) <= WORK;
    }

    void run(WorkerPool pool) {
        int p = y.dim(1), q = y.dim(2), h = x.dim(1), w = x.dim(2);
        int work = (int) Math.min(Integer.MAX_VALUE, (long) geometry.windowH() * w * c);
        Rows.run(pool, y.size(0) * p, work, (from, count) -> {
            int some;
            for (long r = from; r < from + count; r += some) {
                int i = (int) (r % p), first = geometry.firstRow(i), high = geometry.endRow(i, h) - first;
                some = (int) Math.min(rows.alike(i), from + count - r);
                for (int j = 0, windows; j < q; j += windows) {
                    int column = geometry.firstColumn(j), wide = geometry.endColumn(j, w) - column;
                    windows = Math.min(columns.alike(j), Math.max(1, WORK / (high * wide * vectors())));
                    long at = x.address() + 4 * ((r / p * h + first) * w + column) * c;
                    call(at, y.address() + 4 * (r * q + j) * c, some, windows, high, wide);
                }
            }
        });
    }

    private int vectors() {
        return Math.ceilDiv(c, Lanes.FLOATS);
    }

    /**
     * Windows that are alike, in rows of windows that are.
     *
     * @param from the first one's first tap in the image
     * @param high rows of taps, {@code wide} in a row
     */
    private void call(long from, long to, int count, int windows, int high, int wide) {
        long argument = ARGUMENTS.address(ARGUMENT), pixel = 4L * c, line = x.size(2) * pixel, rest = c % Lanes.FLOATS;
        long step = geometry.strideH() * line, result = y.size(2) * pixel;
        set(argument + X_STEP, step);
        set(argument + Y_STEP, result);
        set(argument + WINDOW_STEP, geometry.strideW() * pixel);
        set(argument + PIXEL, pixel);
        set(argument + LINE, line);
        set(argument + WINDOWS, windows);
        set(argument + TAP_ROWS, high);
        set(argument + TAP_COLUMNS, wide);
        set(argument + VECTORS, c / Lanes.FLOATS);
        set(argument + REST, rest);
        set(argument + REST_BYTES, 4 * rest);
        set(argument + REST_LANES, (1L << rest) - 1);
        int most = Math.max(1, WORK / (windows * high * wide * vectors()));
        for (int i = 0; i < count; i += most) {
            set(argument + X, from + i * step);
            set(argument + Y, to + i * result);
            set(argument + ROWS, Math.min(most, count - i));
            CODE.run(argument, 0, 0, 0, 0, 0);
        }
    }

    /** A window in r11, a vector of it in rax, the result's in rsi. Null on other machines and systems. */
    private static MachineCode make() {
        if (!VectorAssembler.isWanted()) {
            return null;
        }
        VectorAssembler code = new VectorAssembler();
        code.push(RBX, RBP, R12);
        code.load(R8, argument(PIXEL));
        code.load(R9, argument(LINE));
        code.loadMask(LANES, argument(REST_LANES));
        int row = code.here();
        code.load(R11, argument(X));
        code.load(RSI, argument(Y));
        code.load(R10, argument(WINDOWS));
        int window = code.here();
        code.lea(RAX, Address.of(R11, 0));
        code.load(R12, argument(VECTORS));
        int none = code.jumpIfZero(R12), vector = code.here();
        writeVector(code, 0);
        code.lea(RAX, Address.of(RAX, Lanes.BYTES));
        code.lea(RSI, Address.of(RSI, Lanes.BYTES));
        code.decrement(R12);
        code.jumpUnlessZero(vector);
        code.land(none);
        code.load(R12, argument(REST));
        none = code.jumpIfZero(R12);
        writeVector(code, LANES);
        code.add(RSI, argument(REST_BYTES));
        code.land(none);
        code.add(R11, argument(WINDOW_STEP));
        code.decrement(R10);
        code.jumpUnlessZero(window);
        for (int at : new int[] {X, Y}) {
            code.load(RAX, argument(at));
            code.add(RAX, argument(at == X ? X_STEP : Y_STEP));
            code.store(RAX, argument(at));
        }
        code.decrement(argument(ROWS));
        code.jumpUnlessZero(row);
        code.pop(R12, RBP, RBX);
        code.end();
        return code.brief();
    }

    /** The taps in rdx, a column from rcx on; rows left in rbp, columns in rbx. */
    private static void writeVector(VectorAssembler code, int mask) {
        code.lea(RCX, Address.of(RAX, 0));
        code.lea(RDX, Address.of(RAX, 0));
        load(code, LARGEST, mask);
        code.load(RBP, argument(TAP_ROWS));
        code.load(RBX, argument(TAP_COLUMNS));
        int first = code.jump(), tap = code.here();
        load(code, TAP, mask);
        code.takeLarger(LARGEST, TAP, NAN);
        code.land(first);
        code.add(RDX, R9);
        code.decrement(RBP);
        code.jumpUnlessZero(tap);
        code.add(RCX, R8);
        code.lea(RDX, Address.of(RCX, 0));
        code.load(RBP, argument(TAP_ROWS));
        code.decrement(RBX);
        code.jumpUnlessZero(tap);
        code.storeVector(LARGEST, Address.of(RSI, 0), mask);
    }

    private static void load(VectorAssembler code, int to, int mask) {
        if (mask == 0) {
            code.loadVector(to, Address.of(RDX, 0));
        } else {
            code.loadOrZero(to, Address.of(RDX, 0), mask);
        }
    }
}
