package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.LayerNormBackward;
import jdk.incubator.vector.FloatVector;

/**
 * Row by row: the row's two sums, then dx. The sums over rows for dgamma and dbeta grow beside them, in float for at most
 * {@link #CHUNK} rows, in double within a block of rows, then over the blocks in order.
 */
final class LayerNormBackwardVector implements Kernel<LayerNormBackward.Args> {
    private static final int CHUNK = 256;
    /** Elements per block, unless that makes too many. */
    private static final int BLOCK = 1 << 15;
    /** Bounds the partial sums. */
    private static final int MAX_BLOCKS = 64;

    private final WorkerPool pool;

    LayerNormBackwardVector(WorkerPool pool) {
        this.pool = pool;
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
    private static double[] rows(LayerNormBackward.Args args, long from, long to, float[] gamma) {
        int n = gamma.length;
        long x = args.x().address();
        long dy = args.dy().address();
        long dx = args.dx() == null ? 0 : args.dx().address();
        long means = args.mean().address();
        long inverses = args.inverseDeviation().address();
        double[] sums = new double[2 * n];
        float[] dgamma = new float[n];
        float[] dbeta = new float[n];
        for (long r = from; r < to; r++) {
            long at = 4 * r * n;
            float mean = Rows.get(means + 4 * r);
            float inverse = Rows.get(inverses + 4 * r);
            if (dx == 0) {
                columns(x + at, dy + at, mean, inverse, dgamma, dbeta);
            } else {
                row(x + at, dy + at, dx + at, mean, inverse, gamma, dgamma, dbeta);
            }
            if ((r - from) % CHUNK == CHUNK - 1 || r == to - 1) {
                for (int c = 0; c < n; c++) {
                    sums[c] += dgamma[c];
                    sums[n + c] += dbeta[c];
                    dgamma[c] = 0;
                    dbeta[c] = 0;
                }
            }
        }
        return sums;
    }

    /** Adds dy h and dy to the sums of the columns. */
    private static void columns(long x, long dy, float mean, float inverse, float[] dgamma, float[] dbeta) {
        int n = dgamma.length;
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            FloatVector g = load(dy + 4L * i);
            FloatVector h = load(x + 4L * i).sub(mean).mul(inverse);
            h.fma(g, FloatVector.fromArray(Lanes.F, dgamma, i)).intoArray(dgamma, i);
            FloatVector.fromArray(Lanes.F, dbeta, i).add(g).intoArray(dbeta, i);
        }
        for (; i < n; i++) {
            float g = Rows.get(dy + 4L * i);
            dgamma[i] = Math.fma((Rows.get(x + 4L * i) - mean) * inverse, g, dgamma[i]);
            dbeta[i] += g;
        }
    }

    /** The same, and dx = inverse (dy gamma - mean(dy gamma) - (x - mean) inverse^2 mean(dy gamma (x - mean))). */
    private static void row(
            long x, long dy, long dx, float mean, float inverse, float[] gamma, float[] dgamma, float[] dbeta) {
        int n = dgamma.length;
        FloatVector sum0 = FloatVector.zero(Lanes.F);
        FloatVector sum1 = sum0;
        FloatVector dot0 = sum0;
        FloatVector dot1 = sum0;
        int i = 0;
        for (; i <= n - 2 * Lanes.FLOATS; i += 2 * Lanes.FLOATS) {
            int j = i + Lanes.FLOATS;
            FloatVector g0 = load(dy + 4L * i);
            FloatVector g1 = load(dy + 4L * j);
            FloatVector c0 = load(x + 4L * i).sub(mean);
            FloatVector c1 = load(x + 4L * j).sub(mean);
            FloatVector w0 = FloatVector.fromArray(Lanes.F, gamma, i);
            FloatVector w1 = FloatVector.fromArray(Lanes.F, gamma, j);
            sum0 = g0.fma(w0, sum0);
            sum1 = g1.fma(w1, sum1);
            dot0 = c0.mul(w0).fma(g0, dot0);
            dot1 = c1.mul(w1).fma(g1, dot1);
            c0.mul(inverse).fma(g0, FloatVector.fromArray(Lanes.F, dgamma, i)).intoArray(dgamma, i);
            c1.mul(inverse).fma(g1, FloatVector.fromArray(Lanes.F, dgamma, j)).intoArray(dgamma, j);
            FloatVector.fromArray(Lanes.F, dbeta, i).add(g0).intoArray(dbeta, i);
            FloatVector.fromArray(Lanes.F, dbeta, j).add(g1).intoArray(dbeta, j);
        }
        float sum = Rows.sum(sum0.add(sum1));
        float dot = Rows.sum(dot0.add(dot1));
        for (; i < n; i++) {
            float g = Rows.get(dy + 4L * i);
            float c = Rows.get(x + 4L * i) - mean;
            sum = Math.fma(g, gamma[i], sum);
            dot = Math.fma(c * gamma[i], g, dot);
            dgamma[i] = Math.fma(c * inverse, g, dgamma[i]);
            dbeta[i] += g;
        }
        gradient(x, dy, dx, mean, inverse, sum / n, inverse * (inverse * dot) / n, gamma);
    }

    /** dx = inverse (dy gamma - shift - (x - mean) slope). */
    private static void gradient(
            long x, long dy, long dx, float mean, float inverse, float shift, float slope, float[] gamma) {
        int n = gamma.length;
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            load(dy + 4L * i)
                    .mul(FloatVector.fromArray(Lanes.F, gamma, i))
                    .sub(shift)
                    .sub(load(x + 4L * i).sub(mean).mul(slope))
                    .mul(inverse)
                    .intoMemorySegment(ALL, dx + 4L * i, Lanes.ORDER);
        }
        for (; i < n; i++) {
            float rest = (Rows.get(x + 4L * i) - mean) * slope;
            Rows.set(dx + 4L * i, (Rows.get(dy + 4L * i) * gamma[i] - shift - rest) * inverse);
        }
    }

    private static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(Lanes.F, ALL, address, Lanes.ORDER);
    }
}
