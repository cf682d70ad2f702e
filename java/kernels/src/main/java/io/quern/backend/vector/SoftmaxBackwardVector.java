package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.SoftmaxBackward;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** Row by row: the difference to the row's dot product of y and dy, beside the dot product of the next row. */
final class SoftmaxBackwardVector implements Kernel<SoftmaxBackward.Args> {
    private final WorkerPool pool;

    SoftmaxBackwardVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(SoftmaxBackward.Args args) {
        return Ranges.flat(args.y(), args.dy(), args.dx());
    }

    @Override
    public void run(SoftmaxBackward.Args args) {
        int n = args.columns();
        long y = args.y().address();
        long dy = args.dy().address();
        long dx = args.dx().address();
        boolean past = dx != y && dx != dy && StreamCode.passesBy(args.dx().elements() * Float.BYTES, dx);
        boolean code = SoftmaxBackwardCode.takes(n);
        Rows.run(pool, args.rows(), n, (from, count) -> {
            long at = 4 * from * n;
            if (code) {
                SoftmaxBackwardCode.run(y + at, dy + at, dx + at, count, n, past);
                return;
            }
            rows(y + at, dy + at, dx + at, count, n);
        });
    }

    private static void rows(long y, long dy, long dx, int rows, int n) {
        float dot = dot(y, dy, n);
        long bytes = 4L * n;
        long at = 0;
        for (int r = 1; r < rows; r++) {
            int head = head(dx + at, n);
            part(y + at, dy + at, dx + at, head, dot);
            float next = pairs(y + at, dy + at, dx + at, n, head, dot, y + at + bytes, dy + at + bytes);
            long end = at + 4L * (head + (n - head & -2 * Lanes.FLOATS));
            gradient(y + end, dy + end, dx + end, (int) ((at + bytes - end) / Float.BYTES), dot);
            dot = next;
            at += bytes;
        }
        gradient(y + at, dy + at, dx + at, n, dot);
    }

    /** Even vectors to one sum, odd ones to another. As in {@link ReduceRow}, loops that C2 does not unroll. */
    private static float dot(long a, long b, int n) {
        FloatVector s0 = FloatVector.zero(Lanes.F);
        FloatVector s1 = s0;
        long at = 0;
        long end = 4L * (n & -2 * Lanes.FLOATS);
        for (; at != end; at += 2 * Lanes.BYTES) {
            long p = a + at & Lanes.ADDRESS;
            long q = b + at & Lanes.ADDRESS;
            s0 = load(p).fma(load(q), s0);
            s1 = load(p + Lanes.BYTES).fma(load(q + Lanes.BYTES), s1);
        }
        int i = (int) (end / Float.BYTES);
        if (i <= n - Lanes.FLOATS) {
            s0 = load(a + 4L * i).fma(load(b + 4L * i), s0);
            i += Lanes.FLOATS;
        }
        if (Rows.MASKS && i < n) {
            VectorMask<Float> tail = Rows.tail(n);
            s1 = load(a + 4L * i, tail).fma(load(b + 4L * i, tail), s1);
        }
        return rest(a, b, i, n, Rows.sum(s0.add(s1)));
    }

    /** Adds what is less than a vector where there are no masks. */
    private static float rest(long a, long b, int from, int n, float sum) {
        float dot = sum;
        for (int i = from; !Rows.MASKS && i < n; i++) {
            dot = Math.fma(Rows.get(a + 4L * i), Rows.get(b + 4L * i), dot);
        }
        return dot;
    }

    /** Elements of a row before its first cache line. */
    private static int head(long dx, int n) {
        return Rows.MASKS ? Math.min(n, (int) (-dx & Lanes.BYTES - 1) / Float.BYTES) : 0;
    }

    /**
     * Pairs of vectors from the first cache line of dx on. Returns the dot product of the next row: its memory is read while
     * this row's is written.
     */
    private static float pairs(long y, long dy, long dx, int n, int head, float dot, long nextY, long nextDy) {
        long a = nextY - 4L * head;
        long b = nextDy - 4L * head;
        FloatVector shift = FloatVector.broadcast(Lanes.F, dot);
        FloatVector s0 = FloatVector.zero(Lanes.F);
        FloatVector s1 = s0;
        long at = 4L * head;
        long end = at + 4L * (n - head & -2 * Lanes.FLOATS);
        for (; at != end; at += 2 * Lanes.BYTES) {
            long p = a + at & Lanes.ADDRESS;
            long q = b + at & Lanes.ADDRESS;
            s0 = load(p).fma(load(q), s0);
            s1 = load(p + Lanes.BYTES).fma(load(q + Lanes.BYTES), s1);
            long u = y + at & Lanes.ADDRESS;
            long v = dy + at & Lanes.ADDRESS;
            long to = dx + at & Lanes.ADDRESS;
            load(v).sub(shift).mul(load(u)).intoMemorySegment(ALL, to, Lanes.ORDER);
            load(v + Lanes.BYTES)
                    .sub(shift)
                    .mul(load(u + Lanes.BYTES))
                    .intoMemorySegment(ALL, to + Lanes.BYTES, Lanes.ORDER);
        }
        int j = n - head & -2 * Lanes.FLOATS;
        if (j <= n - 2 * Lanes.FLOATS) {
            long pair = 4L * j;
            s0 = load(nextY + pair).fma(load(nextDy + pair), s0);
            s1 = load(nextY + pair + Lanes.BYTES).fma(load(nextDy + pair + Lanes.BYTES), s1);
            j += 2 * Lanes.FLOATS;
        }
        if (j <= n - Lanes.FLOATS) {
            s0 = load(nextY + 4L * j).fma(load(nextDy + 4L * j), s0);
            j += Lanes.FLOATS;
        }
        if (Rows.MASKS && j < n) {
            VectorMask<Float> tail = Rows.tail(n);
            s1 = load(nextY + 4L * j, tail).fma(load(nextDy + 4L * j, tail), s1);
        }
        return rest(nextY, nextDy, j, n, Rows.sum(s0.add(s1)));
    }

    private static void gradient(long y, long dy, long dx, int n, float dot) {
        int i = Floats.whole(n);
        long end = 4L * i;
        FloatVector shift = FloatVector.broadcast(Lanes.F, dot);
        for (long at = 0; at != end; at += Lanes.BYTES) {
            load(dy + at & Lanes.ADDRESS)
                    .sub(shift)
                    .mul(load(y + at & Lanes.ADDRESS))
                    .intoMemorySegment(ALL, dx + at & Lanes.ADDRESS, Lanes.ORDER);
        }
        if (Rows.MASKS && i < n) {
            long at = 4L * i;
            part(y + at, dy + at, dx + at, n - i, dot);
        }
        for (; !Rows.MASKS && i < n; i++) {
            long at = 4L * i;
            Rows.set(dx + at, Rows.get(y + at) * (Rows.get(dy + at) - dot));
        }
    }

    /** Less than a vector. */
    private static void part(long y, long dy, long dx, int n, float dot) {
        VectorMask<Float> lanes = Lanes.F.indexInRange(0, n);
        FloatVector.fromMemorySegment(Lanes.F, ALL, dy, Lanes.ORDER, lanes)
                .sub(dot)
                .mul(FloatVector.fromMemorySegment(Lanes.F, ALL, y, Lanes.ORDER, lanes))
                .intoMemorySegment(ALL, dx, Lanes.ORDER, lanes);
    }

    private static FloatVector load(long address, VectorMask<Float> lanes) {
        return FloatVector.fromMemorySegment(Lanes.F, ALL, address, Lanes.ORDER, lanes);
    }

    private static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(Lanes.F, ALL, address, Lanes.ORDER);
    }
}
