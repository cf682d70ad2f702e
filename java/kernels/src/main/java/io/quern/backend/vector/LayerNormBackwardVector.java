package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.LayerNormBackward;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/**
 * Row by row: the row's two sums, then dx. The sums over rows for dgamma and dbeta grow before that, because dx may be dy,
 * in float for at most {@link #CHUNK} rows, in double within a block of rows, then over the blocks in order.
 */
final class LayerNormBackwardVector implements Kernel<LayerNormBackward.Args> {
    private static final int CHUNK = 256;
    /** Elements per block, unless that makes too many. */
    private static final int BLOCK = 1 << 15;
    /** Bounds the partial sums. */
    private static final int MAX_BLOCKS = 64;

    private final WorkerPool pool;
    private final Scratch scratch;

    LayerNormBackwardVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    @Override
    public boolean supports(LayerNormBackward.Args args) {
        return Ranges.flat(args.x(), args.dy(), args.dx(), args.mean(), args.inverseDeviation());
    }

    @Override
    public void run(LayerNormBackward.Args args) {
        int n = args.columns();
        long rows = args.rows();
        int blocks = Math.clamp(rows * n / BLOCK, 1, MAX_BLOCKS);
        long perBlock = (rows + blocks - 1) / blocks;
        double[][] partial = new double[blocks][];
        float[] gamma = args.gamma().toFloats();
        pool.run(blocks, block -> {
            long end = Math.min(rows, (block + 1) * perBlock);
            partial[block] = rows(args, block * perBlock, end, gamma);
        });
        float[] dgamma = new float[n];
        float[] dbeta = new float[n];
        for (int c = 0; c < n; c++) {
            double gammaSum = 0;
            double betaSum = 0;
            for (double[] sums : partial) {
                gammaSum += sums[c];
                betaSum += sums[n + c];
            }
            dgamma[c] = (float) gammaSum;
            dbeta[c] = (float) betaSum;
        }
        args.dgamma().copyFrom(dgamma);
        args.dbeta().copyFrom(dbeta);
    }

    /** dx of some rows, and their sums for dgamma at [c] and dbeta at [n + c]. */
    private double[] rows(LayerNormBackward.Args args, long from, long to, float[] factors) {
        int n = factors.length;
        long x = args.x().address();
        long dy = args.dy().address();
        long dx = args.dx() == null ? 0 : args.dx().address();
        long means = args.mean().address();
        long inverses = args.inverseDeviation().address();
        long line = 4L * n + Lanes.BYTES - 1 & -Lanes.BYTES;
        long gamma = scratch.address(3 * line);
        long dgamma = gamma + line;
        long dbeta = dgamma + line;
        MemorySegment.copy(factors, 0, ALL, ValueLayout.JAVA_FLOAT_UNALIGNED, gamma, n);
        double[] sums = new double[2 * n];
        for (long first = from; first < to; first += CHUNK) {
            long end = Math.min(to, first + CHUNK);
            FillVector.fill(dgamma, n, 0);
            FillVector.fill(dbeta, n, 0);
            long r = first;
            for (; r <= end - 2; r += 2) {
                long at = 4 * r * n;
                LayerNormColumns.two(x + at, dy + at, 4L * n, means + 4 * r, inverses + 4 * r, dgamma, dbeta, n);
                if (dx != 0) {
                    row(x + at, dy + at, dx + at, Rows.get(means + 4 * r), Rows.get(inverses + 4 * r), gamma, n);
                    long next = at + 4L * n;
                    row(
                            x + next,
                            dy + next,
                            dx + next,
                            Rows.get(means + 4 * r + 4),
                            Rows.get(inverses + 4 * r + 4),
                            gamma,
                            n);
                }
            }
            if (r < end) {
                long at = 4 * r * n;
                float mean = Rows.get(means + 4 * r);
                float inverse = Rows.get(inverses + 4 * r);
                LayerNormColumns.one(x + at, dy + at, mean, inverse, dgamma, dbeta, n);
                if (dx != 0) {
                    row(x + at, dy + at, dx + at, mean, inverse, gamma, n);
                }
            }
            for (int c = 0; c < n; c++) {
                sums[c] += Rows.get(dgamma + 4L * c);
                sums[n + c] += Rows.get(dbeta + 4L * c);
            }
        }
        return sums;
    }

    /** dx = inverse (dy gamma - mean(dy gamma) - (x - mean) inverse^2 mean(dy gamma (x - mean))). */
    private static void row(long x, long dy, long dx, float mean, float inverse, long gamma, int n) {
        FloatVector m = FloatVector.broadcast(Lanes.F, mean);
        FloatVector sum0 = FloatVector.zero(Lanes.F);
        FloatVector sum1 = sum0;
        FloatVector dot0 = sum0;
        FloatVector dot1 = sum0;
        int i = 0;
        for (; i <= n - 2 * Lanes.FLOATS; i += 2 * Lanes.FLOATS) {
            long at = 4L * i;
            long next = at + Lanes.BYTES;
            FloatVector g0 = FloatVector.fromMemorySegment(Lanes.F, ALL, dy + at, Lanes.ORDER);
            FloatVector g1 = FloatVector.fromMemorySegment(Lanes.F, ALL, dy + next, Lanes.ORDER);
            FloatVector w0 = FloatVector.fromMemorySegment(Lanes.F, ALL, gamma + at, Lanes.ORDER);
            FloatVector w1 = FloatVector.fromMemorySegment(Lanes.F, ALL, gamma + next, Lanes.ORDER);
            sum0 = g0.fma(w0, sum0);
            sum1 = g1.fma(w1, sum1);
            // gamma times the difference first: dy gamma may overflow where the product of all three does not
            dot0 = FloatVector.fromMemorySegment(Lanes.F, ALL, x + at, Lanes.ORDER)
                    .sub(m)
                    .mul(w0)
                    .fma(g0, dot0);
            dot1 = FloatVector.fromMemorySegment(Lanes.F, ALL, x + next, Lanes.ORDER)
                    .sub(m)
                    .mul(w1)
                    .fma(g1, dot1);
        }
        float sum = Rows.sum(sum0.add(sum1));
        float dot = Rows.sum(dot0.add(dot1));
        for (; i < n; i++) {
            float g = Rows.get(dy + 4L * i);
            float w = Rows.get(gamma + 4L * i);
            sum = Math.fma(g, w, sum);
            dot = Math.fma((Rows.get(x + 4L * i) - mean) * w, g, dot);
        }
        gradient(x, dy, dx, mean, inverse, sum / n, inverse * (inverse * dot) / n, gamma, n);
    }

    /** dx = inverse (dy gamma - shift - (x - mean) slope). */
    private static void gradient(
            long x, long dy, long dx, float mean, float inverse, float shift, float slope, long gamma, int n) {
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            long at = 4L * i;
            FloatVector rest = FloatVector.fromMemorySegment(Lanes.F, ALL, x + at, Lanes.ORDER)
                    .sub(mean)
                    .mul(slope);
            FloatVector.fromMemorySegment(Lanes.F, ALL, dy + at, Lanes.ORDER)
                    .mul(FloatVector.fromMemorySegment(Lanes.F, ALL, gamma + at, Lanes.ORDER))
                    .sub(shift)
                    .sub(rest)
                    .mul(inverse)
                    .intoMemorySegment(ALL, dx + at, Lanes.ORDER);
        }
        for (; i < n; i++) {
            long at = 4L * i;
            float rest = (Rows.get(x + at) - mean) * slope;
            Rows.set(dx + at, (Rows.get(dy + at) * Rows.get(gamma + at) - shift - rest) * inverse);
        }
    }
}
