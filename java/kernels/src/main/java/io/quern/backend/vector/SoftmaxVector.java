package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Softmax;

/** Row by row: maximum, exponentials and their sum, division by it; a row stays in the nearest cache. */
final class SoftmaxVector implements Kernel<Softmax.Args> {
    private final WorkerPool pool;

    SoftmaxVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(Softmax.Args args) {
        return Ranges.flat(args.x(), args.y());
    }

    @Override
    public void run(Softmax.Args args) {
        int n = args.columns();
        long x = args.x().address();
        long y = args.y().address();
        Rows.run(pool, args.rows(), n, (from, count) -> rows(x + 4 * from * n, y + 4 * from * n, count, n));
    }

    private static void rows(long x, long y, int rows, int n) {
        for (int r = 0; r < rows; r++) {
            long at = 4L * r * n;
            SoftmaxRow.probabilities(x + at, y + at, n, SoftmaxRow.max(x + at, n));
        }
    }
}
