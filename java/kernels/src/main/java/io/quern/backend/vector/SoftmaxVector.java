package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Softmax;

/** Row by row: exponentials and their sum, beside the maximum of the next row; then division. */
final class SoftmaxVector implements Kernel<Softmax.Args> {
    private final WorkerPool pool;
    private final Scratch scratch;

    SoftmaxVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
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
        boolean past = x != y && StreamCode.passesBy(args.y().elements() * Float.BYTES, y);
        Rows.run(pool, args.rows(), n, (from, count) -> {
            long at = 4 * from * n;
            SoftmaxRow.rows(x + at, y + at, count, n, past, 0, scratch.address(SoftmaxRow.scratchBytes(n)));
        });
    }
}
