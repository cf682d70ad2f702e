package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.StreamAssembler.FACTOR;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Broadcast;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** y = scale x, repeated: the flat range of y, cut where the part of x that it repeats ends. */
final class BroadcastVector implements Kernel<Broadcast.Args> {
    /** Elements of a part of y that repeats itself, at most: it stays in L2. */
    private static final int PERIOD = 1 << 15;

    /** Elements that are copied at once, at most, for which a cache of the first level has room. */
    private static final int COPIED = 4096;

    private static final StreamCode STREAM = StreamCode.withFactors(1, step -> {
        step.load(0, FACTOR);
        step.store(0);
    });

    private final WorkerPool pool;
    private final Scratch scratch;

    BroadcastVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    @Override
    public boolean supports(Broadcast.Args args) {
        return Ranges.flat(args.x(), args.y());
    }

    @Override
    public void run(Broadcast.Args args) {
        long x = args.x().address();
        long y = args.y().address();
        long repeated = args.repeated();
        long inner = args.inner();
        float scale = (float) args.scale();
        if (args.outer() == 1 && streams(args, x, y, scale)) {
            return;
        }
        if (inner == 1) {
            Ranges.run(pool, args.y().elements(), (from, count) -> elements(x, y, from, count, repeated, scale));
        } else {
            Ranges.run(pool, args.y().elements(), (from, count) -> rows(x, y, from, count, repeated, inner, scale));
        }
    }

    /** False if there is no machine code for it: y has one row many times, of which some make whole vectors. */
    private boolean streams(Broadcast.Args args, long x, long y, float scale) {
        long elements = args.y().elements();
        long rows = Lanes.FLOATS / Long.lowestOneBit(args.inner() | Lanes.FLOATS);
        if (args.inner() * rows > PERIOD || !STREAM.repeats(elements, (int) (args.inner() * rows), y, 0, 0)) {
            return false;
        }
        int period = (int) (args.inner() * rows);
        long repeated = scratch.address(ChannelRows.bytes(period));
        ChannelRows.repeat(args.x().toFloats(), period, repeated);
        ScaleVector.scale(repeated, repeated, period, scale);
        ChannelRows.Body body = (from, count) -> Copies.copy(repeated, y + 4 * from, 4L * count);
        STREAM.repeat(pool, body, elements, period, y, 0, 0, repeated);
        return true;
    }

    /** Each element of x fills a run of y. */
    private static void elements(long x, long y, long from, int count, long repeated, float scale) {
        long element = x + 4 * (from / repeated);
        long done = from % repeated;
        int length;
        for (int i = 0; i < count; i += length) {
            length = (int) Math.min(repeated - done, count - i);
            FillVector.fill(y + 4 * (from + i), length, scale * Floats.get(element));
            element += 4;
            done = 0;
        }
    }

    /** Each row of x is copied to consecutive rows of y. */
    private static void rows(long x, long y, long from, int count, long repeated, long inner, float scale) {
        long column = from % inner;
        long copy = from / inner % repeated;
        long row = x + 4 * (from / inner / repeated) * inner;
        int length;
        for (int i = 0; i < count; i += length) {
            length = (int) Math.min(inner - column, count - i);
            long at = y + 4 * (from + i);
            row(row + 4 * column, at, length, scale);
            copy++;
            if (length == inner && inner <= COPIED) {
                long more = Math.min(repeated - copy, (count - i) / inner - 1);
                repeat(at, (int) more, (int) inner);
                copy += more;
                i += (int) (more * inner);
            }
            column = 0;
            if (copy == repeated) {
                copy = 0;
                row += 4 * inner;
            }
        }
    }

    /**
     * Writes {@code more} rows behind the one at y: from those written, twice as many each time, {@link #COPIED} elements at most. That
     * stores may straddle lines here costs less than ends of rows under masks.
     */
    private static void repeat(long y, int more, int inner) {
        int most = COPIED / inner;
        for (int done = 1, rows; done <= more; done += rows) {
            rows = Math.min(Math.min(done, most), more + 1 - done);
            Copies.copy(y, y + 4L * done * inner, 4L * rows * inner);
        }
    }

    /** Whole cache lines of y, and what lies before and behind them under masks: stores that straddle lines are slow. */
    private static void row(long x, long y, int length, float scale) {
        int head = Rows.MASKS ? Math.min(length, (int) (-y & Lanes.BYTES - 1) / Float.BYTES) : 0;
        part(x, y, head, scale);
        int tail = Rows.MASKS ? (length - head) % Lanes.FLOATS : 0;
        int end = length - tail;
        ScaleVector.scale(x + 4L * head, y + 4L * head, end - head, scale);
        part(x + 4L * end, y + 4L * end, tail, scale);
    }

    private static void part(long x, long y, int count, float scale) {
        if (count > 0) {
            VectorMask<Float> lanes = Lanes.F.indexInRange(0, count);
            FloatVector.fromMemorySegment(Lanes.F, ALL, x, Lanes.ORDER, lanes)
                    .mul(scale)
                    .intoMemorySegment(ALL, y, Lanes.ORDER, lanes);
        }
    }
}
