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
        int blocks = Math.clamp(rows * n / Ranges.BLOCK, 1, MAX_BLOCKS);
        long perBlock = (rows + blocks - 1) / blocks;
        double[][] partial = new double[blocks][];
        float[] gamma = args.gamma().toFloats();
        pool.run(blocks, block -> {
            double[] sums = new double[2 * n];
            long end = Math.min(rows, (block + 1) * perBlock);
            for (long row = block * perBlock; row < end; row += CHUNK) {
                float[] dgamma = new float[n];
                float[] dbeta = new float[n];
                for (long r = row; r < Math.min(end, row + CHUNK); r++) {
                    row(args, r, gamma, dgamma, dbeta);
                }
                for (int c = 0; c < n; c++) {
                    sums[c] += dgamma[c];
                    sums[n + c] += dbeta[c];
                }
            }
            partial[block] = sums;
        });
        for (int c = 0; c < n; c++) {
            double dgamma = 0;
            double dbeta = 0;
            for (double[] sums : partial) {
                dgamma += sums[c];
                dbeta += sums[n + c];
            }
            args.dgamma().set(c, dgamma);
            args.dbeta().set(c, dbeta);
        }
    }

    private static void row(LayerNormBackward.Args args, long r, float[] gamma, float[] dgamma, float[] dbeta) {
        int n = gamma.length;
        long at = 4 * r * n;
        long x = args.x().address() + at;
        long dy = args.dy().address() + at;
        float mean = Rows.get(args.mean().address() + 4 * r);
        float inverse = Rows.get(args.inverseDeviation().address() + 4 * r);
        columns(x, dy, mean, inverse, dgamma, dbeta);
        if (args.dx() != null) {
            float sum = sum(dy, gamma);
            float dot = inverse * dot(x, dy, mean, gamma);
            gradient(x, dy, args.dx().address() + at, mean, inverse, sum / n, inverse * dot / n, gamma);
        }
    }

    /** Adds dy h and dy to the sums of the columns. */
    private static void columns(long x, long dy, float mean, float inverse, float[] dgamma, float[] dbeta) {
        int n = dgamma.length;
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            FloatVector g = FloatVector.fromMemorySegment(Lanes.F, ALL, dy + 4L * i, Lanes.ORDER);
            FloatVector.fromMemorySegment(Lanes.F, ALL, x + 4L * i, Lanes.ORDER)
                    .sub(mean)
                    .mul(inverse)
                    .fma(g, FloatVector.fromArray(Lanes.F, dgamma, i))
                    .intoArray(dgamma, i);
            FloatVector.fromArray(Lanes.F, dbeta, i).add(g).intoArray(dbeta, i);
        }
        for (; i < n; i++) {
            float g = Rows.get(dy + 4L * i);
            dgamma[i] = Math.fma((Rows.get(x + 4L * i) - mean) * inverse, g, dgamma[i]);
            dbeta[i] += g;
        }
    }

    /** sum_c dy gamma. */
    private static float sum(long dy, float[] gamma) {
        FloatVector s0 = FloatVector.zero(Lanes.F);
        FloatVector s1 = s0;
        int n = gamma.length;
        int i = 0;
        for (; i <= n - 2 * Lanes.FLOATS; i += 2 * Lanes.FLOATS) {
            s0 = load(dy + 4L * i).fma(FloatVector.fromArray(Lanes.F, gamma, i), s0);
            s1 = load(dy + 4L * i + Lanes.BYTES).fma(FloatVector.fromArray(Lanes.F, gamma, i + Lanes.FLOATS), s1);
        }
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            s0 = load(dy + 4L * i).fma(FloatVector.fromArray(Lanes.F, gamma, i), s0);
        }
        float sum = Rows.sum(s0.add(s1));
        for (; i < n; i++) {
            sum = Math.fma(Rows.get(dy + 4L * i), gamma[i], sum);
        }
        return sum;
    }

    /** sum_c dy gamma (x - mean). */
    private static float dot(long x, long dy, float mean, float[] gamma) {
        FloatVector s0 = FloatVector.zero(Lanes.F);
        FloatVector s1 = s0;
        int n = gamma.length;
        int i = 0;
        for (; i <= n - 2 * Lanes.FLOATS; i += 2 * Lanes.FLOATS) {
            FloatVector g0 = load(x + 4L * i).sub(mean).mul(FloatVector.fromArray(Lanes.F, gamma, i));
            FloatVector g1 = load(x + 4L * i + Lanes.BYTES)
                    .sub(mean)
                    .mul(FloatVector.fromArray(Lanes.F, gamma, i + Lanes.FLOATS));
            s0 = g0.fma(load(dy + 4L * i), s0);
            s1 = g1.fma(load(dy + 4L * i + Lanes.BYTES), s1);
        }
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            FloatVector g = load(x + 4L * i).sub(mean).mul(FloatVector.fromArray(Lanes.F, gamma, i));
            s0 = g.fma(load(dy + 4L * i), s0);
        }
        float sum = Rows.sum(s0.add(s1));
        for (; i < n; i++) {
            sum = Math.fma((Rows.get(x + 4L * i) - mean) * gamma[i], Rows.get(dy + 4L * i), sum);
        }
        return sum;
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
