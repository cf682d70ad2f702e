package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.MaxPoolQuadsAssembler.*;

import io.quern.backend.WorkerPool;
import io.quern.backend.ffi.MachineCode;
import io.quern.op.PoolGeometry;
import io.quern.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Windows of 2 x 2 that lie side by side as machine code, for x86-64 with AVX-512: their maxima, with the bits of {@link PoolMaximum}, and
 * their gradients, with those of {@link MaxPoolQuads}. Rows of windows, of each window one vector of channels after the other, the last of
 * them under a mask. Where a vector holds the channels of a pixel and more, as many windows are taken at once as it has room for: two
 * vectors of an image row are the pixels of such a group, which are parted into left and right ones, and put together again.
 */
final class MaxPoolQuadsCode {
    /** Elements of x that a call reads at most: some microseconds, see {@link MachineCode#brief}. */
    private static final int WORK = 1 << 15;
    /** What a row of windows costs besides, in such elements. */
    private static final int ROW = 64;
    /** Channels at most, so that a window is no more than that. */
    private static final int MOST = WORK / 4;

    private static final PoolGeometry HALVING = PoolGeometry.of(2, 2);

    private static final MachineCode MAXIMA = make(false), GRADIENTS = make(true);
    private static final Scratch ARGUMENTS = new ThreadScratch();
    /** By channels, where a {@link #table} is; 0 where there is none yet. */
    private static final AtomicLongArray TABLES = new AtomicLongArray(Lanes.FLOATS);

    private final int h;
    private final int w;
    private final int c;
    private final int p;
    private final int q;

    private MaxPoolQuadsCode(Tensor x) {
        h = x.dim(1);
        w = x.dim(2);
        c = x.dim(3);
        p = h / 2;
        q = w / 2;
    }

    /** Whether there is such code for these windows. */
    static boolean takes(PoolGeometry geometry, int c) {
        return MAXIMA != null && GRADIENTS != null && geometry.equals(HALVING) && c > 0 && c <= MOST;
    }

    static void maxima(WorkerPool pool, Tensor x, Tensor y) {
        new MaxPoolQuadsCode(x).run(pool, MAXIMA, x, y, 0);
    }

    static void gradients(WorkerPool pool, Tensor x, Tensor dy, Tensor dx) {
        new MaxPoolQuadsCode(x).run(pool, GRADIENTS, x, dy, dx.address());
    }

    /** @param dx 0 where there is none */
    private void run(WorkerPool pool, MachineCode code, Tensor x, Tensor y, long dx) {
        long from = x.address(), to = y.address(), pixel = 4L * c, line = w * pixel, rows = y.size(0) * p;
        Rows.run(pool, rows, (int) Math.min(Integer.MAX_VALUE, 2L * w * c), (first, count) -> {
            // an image after the other only where a row lies between them
            int some;
            for (long i = first, end = first + count; i < end; i += some) {
                some = (int) Math.min(end - i, h % 2 == 0 ? count : p - i % p);
                long at = (2 * i + i / p * (h % 2)) * line;
                rows(code, from + at, to + i * q * pixel, dx + at, some);
                if (dx != 0 && h % 2 != 0 && (i + some) % p == 0) {
                    Copies.zero(dx + at + 2 * some * line, line);
                }
            }
        });
    }

    /** Some rows of windows, from the first image row on. */
    private void rows(MachineCode code, long x, long y, long dx, int rows) {
        int most = Math.clamp(WORK / 4 / c, 1, q), high = Math.max(1, WORK / (4 * c * most + ROW));
        long argument = ARGUMENTS.address(ARGUMENT), pixel = 4L * c, line = w * pixel;
        set(argument + LINE, line);
        set(argument + X_STEP, 2 * line);
        set(argument + Y_STEP, q * pixel);
        set(argument + PIXEL, pixel);
        for (int j = 0, some; j < q; j += some) {
            some = Math.min(most, q - j);
            setWindows(argument, some, j + some == q ? w % 2 : 0);
            for (int i = 0; i < rows; i += high) {
                long at = 2 * (i * line + j * pixel);
                set(argument + X, x + at);
                set(argument + DX, dx + at);
                set(argument + Y, y + ((long) i * q + j) * pixel);
                set(argument + ROWS, Math.min(high, rows - i));
                code.run(argument, 0, 0, 0, 0, 0);
            }
        }
    }

    /** @param behind pixels that no window reaches */
    private void setWindows(long argument, int windows, int behind) {
        boolean narrow = c < Lanes.FLOATS;
        int vectors = c / Lanes.FLOATS, left = c % Lanes.FLOATS, rest = left == 0 ? 0 : 1;
        int each = narrow ? Lanes.FLOATS / c : 1, part = windows % each;
        set(argument + WINDOWS, narrow ? 0 : windows);
        set(argument + VECTORS, vectors);
        set(argument + REST, rest);
        set(argument + REST_BYTES, 4L * left);
        set(argument + GROUPS, narrow ? windows / each : 0);
        set(argument + PART, part == 0 ? 0 : 1);
        set(argument + GROUP, 4L * each * c);
        set(argument + BEHIND, 8L * windows * c);
        set(argument + BEHIND_VECTORS, behind * vectors);
        set(argument + BEHIND_REST, behind * rest);
        setLanes(argument + GROUP_LANES, each * c);
        setLanes(argument + PART_LANES, part * c);
        setLanes(argument + REST_LANES, left);
        set(argument + TABLE, narrow ? table(c) : argument);
    }

    private static void setLanes(long at, int lanes) {
        if (lanes > Lanes.FLOATS) {
            return; // of groups, where there are none
        }
        long pixels = (1L << 2 * lanes) - 1;
        setInt(at, (1 << lanes) - 1);
        setInt(at + 4, (int) pixels);
        setInt(at + 8, (int) (pixels >> Lanes.FLOATS));
    }

    /**
     * Which lanes of two vectors of an image row are the left pixels of windows, which the right ones; and which of these two are the
     * first vector of the row, which the second.
     */
    private static long table(int c) {
        long table = TABLES.get(c);
        if (table == 0) {
            // twice at worst, if two threads are first
            table = Arena.global().allocate(4L * Lanes.BYTES, Lanes.LINE).address();
            for (int lane = 0; lane < 2 * Lanes.FLOATS; lane++) {
                int column = lane / Lanes.FLOATS, of = lane % Lanes.FLOATS, pixel = lane / c;
                setInt(table + 4L * lane, (of / c * 2 + column) * c + of % c);
                setInt(table + 4L * (2 * Lanes.FLOATS + lane), pixel / 2 * c + lane % c + pixel % 2 * Lanes.FLOATS);
            }
            TABLES.set(c, table);
        }
        return table;
    }
}
