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
        Rows.run(pool, args.rows(), n, (from, count) -> {
            long at = 4 * from * n;
            rows(y + at, dy + at, dx + at, count, n);
        });
    }

    private static void rows(long y, long dy, long dx, int rows, int n) {
        float dot = dot(y, dy, n);
        long bytes = 4L * n;
        long at = 0;
        for (int r = 1; r < rows; r++) {
            dot = gradient(y + at, dy + at, dx + at, n, dot, y + at + bytes, dy + at + bytes);
            at += bytes;
        }
        gradient(y + at, dy + at, dx + at, n, dot);
    }

    /** Even vectors to one sum, odd ones to another. */
    private static float dot(long a, long b, int n) {
        FloatVector s0 = FloatVector.zero(Lanes.F);
        FloatVector s1 = s0;
        int i = 0;
        for (; i <= n - 2 * Lanes.FLOATS; i += 2 * Lanes.FLOATS) {
            long at = 4L * i;
            s0 = load(a + at).fma(load(b + at), s0);
            s1 = load(a + at + Lanes.BYTES).fma(load(b + at + Lanes.BYTES), s1);
        }
        if (i <= n - Lanes.FLOATS) {
            s0 = load(a + 4L * i).fma(load(b + 4L * i), s0);
            i += Lanes.FLOATS;
        }
        return rest(a, b, i, n, Rows.sum(s0.add(s1)));
    }

    /** Adds what is less than a vector. */
    private static float rest(long a, long b, int from, int n, float sum) {
        if (Rows.MASKS && from < n) {
            VectorMask<Float> tail = Rows.tail(n);
            return sum
                    + Rows.sum(FloatVector.fromMemorySegment(Lanes.F, ALL, a + 4L * from, Lanes.ORDER, tail)
                            .mul(FloatVector.fromMemorySegment(Lanes.F, ALL, b + 4L * from, Lanes.ORDER, tail)));
        }
        float dot = sum;
        for (int i = from; i < n; i++) {
            dot = Math.fma(Rows.get(a + 4L * i), Rows.get(b + 4L * i), dot);
        }
        return dot;
    }

    /**
     * From the first cache line of dx on in whole ones. Returns the dot product of the next row: its memory is read while
     * this row's is written.
     */
    private static float gradient(long y, long dy, long dx, int n, float dot, long nextY, long nextDy) {
        int head = 0;
        if (Rows.MASKS && dx % Lanes.BYTES != 0) {
            head = Math.min(n, (int) (-dx & Lanes.BYTES - 1) / Float.BYTES);
            part(y, dy, dx, head, dot);
        }
        long a = nextY - 4L * head;
        long b = nextDy - 4L * head;
        FloatVector shift = FloatVector.broadcast(Lanes.F, dot);
        FloatVector s0 = FloatVector.zero(Lanes.F);
        FloatVector s1 = s0;
        int i = head;
        for (; i <= n - 2 * Lanes.FLOATS; i += 2 * Lanes.FLOATS) {
            long at = 4L * i;
            long next = at + Lanes.BYTES;
            s0 = load(a + at & Lanes.ADDRESS).fma(load(b + at & Lanes.ADDRESS), s0);
            s1 = load(a + next & Lanes.ADDRESS).fma(load(b + next & Lanes.ADDRESS), s1);
            load(dy + at).sub(shift).mul(load(y + at)).intoMemorySegment(ALL, dx + at, Lanes.ORDER);
            load(dy + next).sub(shift).mul(load(y + next)).intoMemorySegment(ALL, dx + next, Lanes.ORDER);
        }
        long at = 4L * i;
        gradient(y + at, dy + at, dx + at, n - i, dot);
        int j = i - head;
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
        return rest(nextY, nextDy, j, n, Rows.sum(s0.add(s1)));
    }

    private static void gradient(long y, long dy, long dx, int n, float dot) {
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            long at = 4L * i;
            load(dy + at).sub(dot).mul(load(y + at)).intoMemorySegment(ALL, dx + at, Lanes.ORDER);
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

    private static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(Lanes.F, ALL, address, Lanes.ORDER);
    }
}
