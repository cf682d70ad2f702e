package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.LayerNormBackward;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Row by row: dx, beside the two sums of the next row and its part of the sums over rows for dgamma and dbeta. These grow
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
        LayerNormColumns columns = LayerNormColumns.at(scratch.address(LayerNormColumns.bytes(n)), n);
        MemorySegment.copy(factors, 0, ALL, ValueLayout.JAVA_FLOAT_UNALIGNED, columns.gamma(), n);
        double[] sums = new double[2 * n];
        for (long first = from; first < to; first += CHUNK) {
            FillVector.fill(columns.dgamma(), n, 0);
            FillVector.fill(columns.dbeta(), n, 0);
            chunk(args, columns, first, Math.min(to, first + CHUNK));
            for (int c = 0; c < n; c++) {
                sums[c] += Rows.get(columns.dgamma() + 4L * c);
                sums[n + c] += Rows.get(columns.dbeta() + 4L * c);
            }
        }
        return sums;
    }

    /** dx = inverse (dy gamma - mean(dy gamma) - (x - mean) inverse^2 mean(dy gamma (x - mean))). */
    private static void chunk(LayerNormBackward.Args args, LayerNormColumns columns, long from, long to) {
        int n = columns.n();
        long x = args.x().address();
        long dy = args.dy().address();
        long dx = args.dx() == null ? 0 : args.dx().address();
        long means = args.mean().address();
        long inverses = args.inverseDeviation().address();
        columns.add(x + 4 * from * n, dy + 4 * from * n, Rows.get(means + 4 * from), Rows.get(inverses + 4 * from));
        for (long r = from; r < to; r++) {
            long at = 4 * r * n;
            float mean = Rows.get(means + 4 * r);
            float inverse = Rows.get(inverses + 4 * r);
            float shift = columns.sum(dy + at) / n;
            float slope = inverse * (inverse * columns.dot(x + at, dy + at, mean)) / n;
            boolean last = r + 1 == to;
            long next = last ? r : r + 1;
            float nextMean = Rows.get(means + 4 * next);
            float nextInverse = Rows.get(inverses + 4 * next);
            if (dx != 0 && last) {
                columns.gradient(x + at, dy + at, dx + at, mean, inverse, shift, slope);
            } else if (dx != 0) {
                columns.gradientThenAdd(x + at, dy + at, dx + at, mean, inverse, shift, slope, nextMean, nextInverse);
            } else if (!last) {
                columns.add(x + at + 4L * n, dy + at + 4L * n, nextMean, nextInverse);
            }
        }
    }
}
