package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;
import static io.quern.backend.vector.Lanes.ORDER;

import io.quern.backend.WorkerPool;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rows of few floats times a filter of one vector of columns, such as a 1x1 convolution of a large image into 16 channels: bound by
 * memory. A tile reads sixteen rows in turn, which the machine does not foresee; so each step of it also reads one line of the
 * rows that come a few tiles later, in order; what comes from memory is asked for still earlier. {@link GemmCode}'s tiles ask for both.
 */
final class PointwiseStream {
    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final int ROWS = 16;
    /** Bytes by which lines are read before they are needed. */
    private static final int AHEAD = 4096;
    /** Bytes by which lines are asked for, when they come from memory, and the tiles by which C's are. */
    private static final int FARTHER = 32 << 10, TILES = 2;
    /** Floats of a row up to which a tile's rows and those ahead are a small part of an L1 cache. */
    private static final int DEPTH = 128;
    /** Rows of a task, and of its part that an epilogue finds in cache. */
    private static final int BLOCK = 128 * ROWS;
    /** Rows from which what is read ahead is a small part. */
    private static final int MANY = 1024;
    /** Multiply-adds below which threads cost more than they bring. */
    private static final long PARALLEL = 1 << 19;

    private static final int SCRATCH = Math.max(GemmCode.ARGUMENT, (int) Lanes.LINE);
    /** Always 1, but not to the compiler. */
    private static int step = 1;

    private PointwiseStream() {}

    static boolean fits(int m, int n, int k) {
        return Lanes.REGISTERS >= 32
                && Lanes.BYTES == Lanes.LINE
                && n == Lanes.FLOATS
                && k > 0
                && k <= DEPTH
                && m >= MANY;
    }

    /** c = a b, rows of a and c without gaps. */
    static void multiply(int m, int k, long a, long b, long c, Epilogue epilogue, Scratch scratch, WorkerPool pool) {
        long row = 4L * k, last = a + (m - ROWS) * row;
        Thread caller = Thread.currentThread();
        long here = scratch.address(SCRATCH);
        GemmCode code = GemmCode.of(GemmTile.SLIM);
        // a last tile that overlaps its neighbour must stay in its block, whose neighbour may have its epilogue behind
        // it
        int blocks = Math.max(1, m / BLOCK);
        boolean far = m * row >= Copies.CACHED;
        boolean past = epilogue == null && StreamCode.passesBy((long) m * BYTES, c);
        Blocks.run(pool, (long) m * k * Lanes.FLOATS >= PARALLEL, blocks, block -> {
            int from = block * BLOCK, to = block + 1 < blocks ? from + BLOCK : m;
            long sink = Thread.currentThread() == caller ? here : scratch.address(SCRATCH);
            int done = from;
            if (code != null) {
                long argument = Thread.currentThread() == caller ? here : scratch.address(SCRATCH);
                done += coded(code, argument, k, a + from * row, b, c + (long) from * BYTES, to - from, far, past);
            }
            for (int i = done; i < to; i += ROWS) {
                int at = Math.min(i, to - ROWS);
                long source = a + at * row;
                if (far) {
                    Prefetch.forReading(source + FARTHER, ROWS * row, 1, ROWS * row);
                    Prefetch.forWriting(c + (at + TILES * ROWS) * (long) BYTES, ROWS * BYTES, 1, ROWS * BYTES);
                }
                tile(k, source, row, b, c + (long) at * BYTES, Math.min(last, source + AHEAD), sink);
            }
            if (epilogue != null) {
                epilogue.apply(c + (long) from * BYTES, BYTES, from, to - from, 0, Lanes.FLOATS);
            }
        });
    }

    /** Whole tiles by machine code, which asks for what comes later on its own. Returns rows that are done. */
    private static int coded(
            GemmCode code, long argument, int k, long a, long b, long c, int rows, boolean far, boolean past) {
        long row = 4L * k;
        GemmCode.prepare(argument, k, row, Float.BYTES, ROWS * row, BYTES, BYTES, Float.floatToRawIntBits(1));
        GemmCode.ahead(
                argument, a + GemmSweep.SOON, a + GemmSweep.LATER, Lanes.LINE, far ? (long) TILES * ROWS * BYTES : 0);
        int tiles = rows / ROWS;
        for (int tile = 0, count; tile < tiles; tile += count) {
            count = code.tiles(tiles - tile, k);
            code.run(
                    argument,
                    a + tile * ROWS * row,
                    b,
                    c + (long) tile * ROWS * BYTES,
                    Lanes.FLOATS,
                    count,
                    past ? GemmCode.Storing.STREAM : GemmCode.Storing.SET);
        }
        return tiles * ROWS;
    }

    private static void tile(int kc, long a, long rs, long b, long y, long ahead, long sink) {
        FloatVector c0 = FloatVector.zero(S),
                c1 = c0,
                c2 = c0,
                c3 = c0,
                c4 = c0,
                c5 = c0,
                c6 = c0,
                c7 = c0,
                c8 = c0,
                c9 = c0,
                c10 = c0,
                c11 = c0,
                c12 = c0,
                c13 = c0,
                c14 = c0,
                c15 = c0;
        rs &= GemmPanels.READABLE;
        long r3 = rs * 3, r5 = rs * 5, r7 = r3 + (rs << 2), half = a + (rs << 3);
        int seen = 0;
        // a line of b and a line ahead are equally long: one running address for both
        long behind = ahead - b, bs = (long) step * BYTES;
        for (long end = b + kc * bs; b < end; b += bs) {
            a &= ADDRESS;
            half &= ADDRESS;
            b &= ADDRESS;
            seen ^= ALL.get(INT, b + behind & ADDRESS);
            FloatVector w = FloatVector.fromMemorySegment(S, ALL, b, ORDER);
            // before the multiply-adds: see VectorMath on what C2 inlines
            float x0 = ALL.get(FLOAT, a);
            float x1 = ALL.get(FLOAT, a + rs);
            float x2 = ALL.get(FLOAT, a + (rs << 1));
            float x3 = ALL.get(FLOAT, a + r3);
            float x4 = ALL.get(FLOAT, a + (rs << 2));
            float x5 = ALL.get(FLOAT, a + r5);
            float x6 = ALL.get(FLOAT, a + (r3 << 1));
            float x7 = ALL.get(FLOAT, a + r7);
            float x8 = ALL.get(FLOAT, half);
            float x9 = ALL.get(FLOAT, half + rs);
            float x10 = ALL.get(FLOAT, half + (rs << 1));
            float x11 = ALL.get(FLOAT, half + r3);
            float x12 = ALL.get(FLOAT, half + (rs << 2));
            float x13 = ALL.get(FLOAT, half + r5);
            float x14 = ALL.get(FLOAT, half + (r3 << 1));
            float x15 = ALL.get(FLOAT, half + r7);
            c0 = FloatVector.broadcast(S, x0).fma(w, c0);
            c1 = FloatVector.broadcast(S, x1).fma(w, c1);
            c2 = FloatVector.broadcast(S, x2).fma(w, c2);
            c3 = FloatVector.broadcast(S, x3).fma(w, c3);
            c4 = FloatVector.broadcast(S, x4).fma(w, c4);
            c5 = FloatVector.broadcast(S, x5).fma(w, c5);
            c6 = FloatVector.broadcast(S, x6).fma(w, c6);
            c7 = FloatVector.broadcast(S, x7).fma(w, c7);
            c8 = FloatVector.broadcast(S, x8).fma(w, c8);
            c9 = FloatVector.broadcast(S, x9).fma(w, c9);
            c10 = FloatVector.broadcast(S, x10).fma(w, c10);
            c11 = FloatVector.broadcast(S, x11).fma(w, c11);
            c12 = FloatVector.broadcast(S, x12).fma(w, c12);
            c13 = FloatVector.broadcast(S, x13).fma(w, c13);
            c14 = FloatVector.broadcast(S, x14).fma(w, c14);
            c15 = FloatVector.broadcast(S, x15).fma(w, c15);
            a += Float.BYTES;
            half += Float.BYTES;
        }
        y &= ADDRESS;
        c0.intoMemorySegment(ALL, y, ORDER);
        c1.intoMemorySegment(ALL, y + BYTES, ORDER);
        c2.intoMemorySegment(ALL, y + 2 * BYTES, ORDER);
        c3.intoMemorySegment(ALL, y + 3 * BYTES, ORDER);
        c4.intoMemorySegment(ALL, y + 4 * BYTES, ORDER);
        c5.intoMemorySegment(ALL, y + 5 * BYTES, ORDER);
        c6.intoMemorySegment(ALL, y + 6 * BYTES, ORDER);
        c7.intoMemorySegment(ALL, y + 7 * BYTES, ORDER);
        c8.intoMemorySegment(ALL, y + 8 * BYTES, ORDER);
        c9.intoMemorySegment(ALL, y + 9 * BYTES, ORDER);
        c10.intoMemorySegment(ALL, y + 10 * BYTES, ORDER);
        c11.intoMemorySegment(ALL, y + 11 * BYTES, ORDER);
        c12.intoMemorySegment(ALL, y + 12 * BYTES, ORDER);
        c13.intoMemorySegment(ALL, y + 13 * BYTES, ORDER);
        c14.intoMemorySegment(ALL, y + 14 * BYTES, ORDER);
        c15.intoMemorySegment(ALL, y + 15 * BYTES, ORDER);
        // else the compiler would leave out the reading
        ALL.set(INT, sink & ADDRESS, seen);
    }
}
