package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.SoftmaxBackward;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** Row by row: the dot product of y and dy, then the difference; a row stays in the nearest cache. */
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
            for (int r = 0; r < count; r++) {
                long at = 4 * (from + r) * n;
                gradient(y + at, dy + at, dx + at, n, dot(y + at, dy + at, n));
            }
        });
    }

    private static float dot(long a, long b, int n) {
        FloatVector s0 = FloatVector.zero(Lanes.F);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        FloatVector s3 = s0;
        int i = 0;
        for (; i <= n - 4 * Lanes.FLOATS; i += 4 * Lanes.FLOATS) {
            long at = 4L * i;
            s0 = load(a + at).fma(load(b + at), s0);
            s1 = load(a + at + Lanes.BYTES).fma(load(b + at + Lanes.BYTES), s1);
            s2 = load(a + at + 2L * Lanes.BYTES).fma(load(b + at + 2L * Lanes.BYTES), s2);
            s3 = load(a + at + 3L * Lanes.BYTES).fma(load(b + at + 3L * Lanes.BYTES), s3);
        }
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            s0 = load(a + 4L * i).fma(load(b + 4L * i), s0);
        }
        if (Rows.MASKS && i < n) {
            // lanes beyond the row are zero in both
            VectorMask<Float> tail = Rows.tail(n);
            s1 = FloatVector.fromMemorySegment(Lanes.F, ALL, a + 4L * i, Lanes.ORDER, tail)
                    .fma(FloatVector.fromMemorySegment(Lanes.F, ALL, b + 4L * i, Lanes.ORDER, tail), s1);
        }
        float dot = Rows.sum(s0.add(s1).add(s2.add(s3)));
        for (; !Rows.MASKS && i < n; i++) {
            dot = Math.fma(Rows.get(a + 4L * i), Rows.get(b + 4L * i), dot);
        }
        return dot;
    }

    /** From the first cache line of dx on in whole ones. */
    private static void gradient(long y, long dy, long dx, int n, float dot) {
        int i = 0;
        if (Rows.MASKS && dx % Lanes.BYTES != 0) {
            i = Math.min(n, (int) (-dx & Lanes.BYTES - 1) / Float.BYTES);
            part(y, dy, dx, i, dot);
        }
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
