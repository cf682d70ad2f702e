package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.WinogradAssembler.*;
import static io.quern.backend.vector.WinogradTransforms.SIDE;

import io.quern.backend.ffi.MachineCode;
import io.quern.backend.vector.WinogradSteps.Kind;
import io.quern.op.Winograd;

/**
 * {@link WinogradTransforms} and {@link WinogradFive} as machine code, for x86-64 with AVX-512, with the same bits (but for which of two
 * NaN is passed on): many tiles, or elements of the filter, with all their channels in a call, and between columns and rows no memory.
 * Addresses and strides are in bytes.
 */
final class WinogradCode {
    /**
     * Tiles times vectors of channels in a call: some microseconds, see {@link MachineCode#brief}; one tile is the least, of 341 vectors at
     * most, since a slice of its filter fits a cache.
     */
    private static final int WORK = 1 << 6;

    private static final MachineCode CODE = make();
    private static final Scratch ARGUMENTS = new ThreadScratch();

    private WinogradCode() {}

    /** Whether there is such code. */
    static boolean takes() {
        return CODE != null;
    }

    /**
     * Neighbouring tiles of the source, {@link WinogradSource#RUN} at most; value p of tile t goes to {@code to + t pixel + p point}.
     *
     * @param rows where the first column of the first tile is, perhaps outside the image
     * @param left columns before those that are in the image
     * @param live columns that are
     */
    static void source(int taps, long[] rows, long pixel, int tiles, int left, int live, long to, long point) {
        long argument = ARGUMENTS.address(ARGUMENT);
        int tile = Winograd.tile(taps), vectors = (int) (pixel / Lanes.BYTES), most = Math.max(1, WORK / tiles);
        set(argument + ENTRY, place(Kind.SOURCE, taps, false));
        set(argument + IN_COLUMN, pixel);
        set(argument + OUT_COLUMN, point);
        set(argument + TO, to);
        for (int i = 0; i < SIDE; i++) {
            set(argument + ROWS + 8L * i, rows[i]);
        }
        set(argument + FIRST_MASKS, masks(left + live) & ~masks(left));
        for (int t = 0, column = SIDE - tile; t < tiles; t++, column += tile) {
            set(argument + TILE_MASKS + 8L * (tiles - t), masks(left + live - column) & ~masks(left - column));
        }
        set(argument + COUNT, tiles);
        for (int vector = 0; vector < vectors; vector += most) {
            set(argument + VECTORS, Math.min(most, vectors - vector));
            CODE.run(argument, 0, 0, 0, 0, 0);
        }
    }

    /** The masks of four vectors, of which the first {@code count} are whole, the others empty. */
    private static long masks(int count) {
        return count <= 0 ? 0 : -1L >>> 16 * (4 - Math.min(4, count));
    }

    /** Filters: taps {@code tap} apart, {@code rows} of them {@code row} apart; value p of row d goes to {@code to + d pitch + p point}. */
    static void filter(
            int taps, long from, long tap, long row, int rows, int vectors, long to, long pitch, long point) {
        long argument = argument(taps * tap, tap, SIDE * point, point);
        set(argument + ENTRY, place(Kind.FILTER, taps, false));
        run(argument, from, row, to, pitch, rows, vectors);
    }

    /**
     * Products of neighbouring tiles, {@code pitch} apart, of which value p is {@code p point} behind the first, become max(floor, bias +
     * result), in {@code wide} columns of {@code high} rows.
     *
     * @param seen as {@link WinogradTransforms#resultRows} has it
     */
    static void results(
            int taps,
            long from,
            long pitch,
            long point,
            int vectors,
            long bias,
            int floor,
            long to,
            long pixel,
            long row,
            int wide,
            int high,
            long seen) {
        long argument = argument(SIDE * point, point, row, pixel);
        set(argument + BIAS, bias);
        setInt(argument + FLOOR, floor);
        set(argument + SEEN, seen);
        tiles(argument, Kind.RESULT, taps, from, pitch, to, Winograd.tile(taps) * pixel, wide, high, vectors);
    }

    /** Neighbouring tiles of dy, of {@code wide} columns of {@code high} rows, and zeros; value p of tile t goes to {@code to + t pitch + p point}. */
    static void signals(
            int taps,
            long from,
            long pixel,
            long row,
            int wide,
            int high,
            int vectors,
            long to,
            long pitch,
            long point) {
        long argument = argument(row, pixel, SIDE * point, point);
        tiles(argument, Kind.SIGNAL, taps, from, Winograd.tile(taps) * pixel, to, pitch, wide, high, vectors);
    }

    /** Sums of {@code count} products, {@code pitch} apart, become taps, {@code tap} apart, {@code row} from those of one product to the next. */
    static void gradient(
            int taps,
            long from,
            long pitch,
            long point,
            int count,
            int vectors,
            long to,
            long row,
            long tap,
            long seen) {
        long argument = argument(SIDE * point, point, taps * tap, tap);
        set(argument + ENTRY, place(Kind.GRADIENT, taps, false));
        set(argument + SEEN, seen);
        run(argument, from, pitch, to, row, count, vectors);
    }

    private static long argument(long inRow, long inColumn, long outRow, long outColumn) {
        long argument = ARGUMENTS.address(ARGUMENT);
        set(argument + IN_ROW, inRow);
        set(argument + IN_COLUMN, inColumn);
        set(argument + OUT_ROW, outRow);
        set(argument + OUT_COLUMN, outColumn);
        return argument;
    }

    /** Those that are as wide as a tile, then the last. */
    private static void tiles(
            long argument,
            Kind kind,
            int taps,
            long from,
            long fromStep,
            long to,
            long toStep,
            int wide,
            int high,
            int vectors) {
        int tile = Winograd.tile(taps), whole = wide / tile, rest = wide % tile;
        set(argument + ROW_MASKS, masks(high));
        set(argument + COLUMN_MASKS, masks(tile));
        set(argument + ENTRY, place(kind, taps, high < tile));
        run(argument, from, fromStep, to, toStep, whole, vectors);
        if (rest > 0) {
            set(argument + COLUMN_MASKS, masks(rest));
            set(argument + ENTRY, place(kind, taps, true));
            run(argument, from + whole * fromStep, fromStep, to + whole * toStep, toStep, 1, vectors);
        }
    }

    private static void run(long argument, long from, long fromStep, long to, long toStep, int count, int vectors) {
        int most = Math.max(1, WORK / vectors);
        set(argument + FROM, from);
        set(argument + FROM_STEP, fromStep);
        set(argument + TO, to);
        set(argument + TO_STEP, toStep);
        set(argument + VECTORS, vectors);
        for (int at = 0; at < count; at += most) {
            set(argument + COUNT, Math.min(most, count - at));
            CODE.run(argument, 0, 0, 0, 0, 0);
        }
    }
}
