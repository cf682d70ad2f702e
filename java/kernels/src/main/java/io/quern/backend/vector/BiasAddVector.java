package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.BiasAdd;

/** y = x + bias: the flat range of x, cut at the ends of rows. Bandwidth bound: the bias stays in cache. */
final class BiasAddVector implements Kernel<BiasAdd.Args> {
    private final WorkerPool pool;

    BiasAddVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(BiasAdd.Args args) {
        return Ranges.flat(args.x(), args.bias(), args.y());
    }

    @Override
    public void run(BiasAdd.Args args) {
        long x = args.x().address();
        long bias = args.bias().address();
        long y = args.y().address();
        long channels = args.bias().elements();
        Ranges.run(pool, args.y().elements(), (from, count) -> {
            long channel = from % channels;
            int length;
            for (int i = 0; i < count; i += length) {
                length = (int) Math.min(channels - channel, count - i);
                long at = 4 * (from + i);
                AddVector.add(x + at, bias + 4 * channel, y + at, length);
                channel = 0;
            }
        });
    }
}
