package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.WorkerPool;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Two sums per channel over the rows of a (rows, channels) matrix, in double, cut in fixed blocks that are combined in
 * fixed order.
 *
 * <p>Channels are rarely a multiple of the vector length, so several rows are read as one row of folded channels.
 */
final class ChannelSums {
    /** Folded channels are a multiple of this, and so of the columns that kernels take at a time. */
    private static final int FOLDED = 64;
    /** From this many channels a few scalar columns at the end cost less than folding. */
    private static final int WIDE = 256;
    /** Elements beyond the caches. */
    private static final long LARGE = 1 << 21;
    /** Columns per task. */
    private static final int STRIP = 512;
    /** Elements added up before the next ones of the same columns: 32 KiB of floats, so that all stay in cache. */
    private static final int CHUNK = 1 << 13;
    /** The same where kernels go by rows, and copy the sums to memory at cache lines for it. */
    private static final int ROWS_CHUNK = 1 << 15;
    /** From this many columns on, memory is better read row by row than a few columns of many rows at a time. */
    private static final int BY_ROWS = 128;
    /** Elements per task, unless that makes too many. */
    private static final int TASK = 1 << 14;
    /** Bounds the partial sums. */
    private static final int MAX_BLOCKS = 64;

    private ChannelSums() {}

    /** Adds both sums of columns {@code from <= c < to} to {@code sums[first + c]} and {@code sums[second + c]}. */
    interface Body {
        /**
         * Columns are those of folded rows, or of single rows at the end of the matrix.
         *
         * @param start element of column 0 in the first row
         * @param stride elements from row to row
         */
        void add(long start, int rows, int stride, int from, int to, double[] sums, int first, int second);
    }

    /** Both sums of every channel: first at [c], second at [channels + c]. */
    static double[] of(WorkerPool pool, long rows, int channels, Body body) {
        int fold = fold(channels, rows);
        int width = fold * channels;
        long foldedRows = rows / fold;
        int strip = Math.clamp(width, 1, STRIP);
        int strips = (width + strip - 1) / strip;
        int chunk = Math.max(8, (byRows(strip) ? ROWS_CHUNK : CHUNK) / strip);
        int blocks = Math.clamp(foldedRows * strip / TASK, 1, MAX_BLOCKS);
        long perBlock = (foldedRows + blocks - 1) / blocks;
        double[] partial = new double[2 * blocks * width];
        pool.run(blocks * strips, task -> {
            int block = task / strips;
            int from = task % strips * strip;
            int to = Math.min(width, from + strip);
            long end = Math.min(foldedRows, (block + 1) * perBlock);
            for (long row = block * perBlock; row < end; row += chunk) {
                int count = (int) Math.min(chunk, end - row);
                body.add(row * width, count, width, from, to, partial, 2 * block * width, (2 * block + 1) * width);
            }
        });
        double[] sums = new double[2 * channels];
        for (int part = 0; part < 2 * blocks * fold; part++) {
            int target = part / fold % 2 * channels;
            for (int c = 0; c < channels; c++) {
                sums[target + c] += partial[part * channels + c];
            }
        }
        long done = foldedRows * fold;
        body.add(done * channels, (int) (rows - done), channels, 0, channels, sums, 0, channels);
        return sums;
    }

    /** True when kernels shall go by rows over this many columns: many, and a multiple of every vector's length. */
    static boolean byRows(int columns) {
        return columns >= BY_ROWS && columns % FOLDED == 0;
    }

    /** Copies both sums of some columns to memory, one behind the other. */
    static void load(double[] sums, int first, int second, int columns, long to) {
        MemorySegment.copy(sums, first, ALL, ValueLayout.JAVA_DOUBLE, to, columns);
        MemorySegment.copy(sums, second, ALL, ValueLayout.JAVA_DOUBLE, to + 8L * columns, columns);
    }

    /** Copies them back. */
    static void store(long from, double[] sums, int first, int second, int columns) {
        MemorySegment.copy(ALL, ValueLayout.JAVA_DOUBLE, from, sums, first, columns);
        MemorySegment.copy(ALL, ValueLayout.JAVA_DOUBLE, from + 8L * columns, sums, second, columns);
    }

    /** Rows read as one: the fewest whose channels are a multiple of 64 together, a power of two. */
    static int fold(int channels) {
        return channels >= WIDE ? 1 : FOLDED / Math.clamp(Integer.lowestOneBit(channels), 1, FOLDED);
    }

    /** More rows where the matrix is beyond the caches, so that kernels go by rows. */
    static int fold(int channels, long rows) {
        int fold = fold(channels);
        while (channels > 0 && fold * channels < WIDE && rows * channels >= LARGE) {
            fold *= 2;
        }
        return fold;
    }
}
