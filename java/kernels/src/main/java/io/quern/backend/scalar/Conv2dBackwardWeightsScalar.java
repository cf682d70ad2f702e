package io.quern.backend.scalar;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Conv2dBackwardWeights;
import java.util.Arrays;

/** One tap of the filter at a time over all pixels; the inner loop is an axpy over the result channels. */
final class Conv2dBackwardWeightsScalar implements Kernel<Conv2dBackwardWeights.Args> {
    private final WorkerPool pool;
    private final HeapCopy image = new HeapCopy();
    private final HeapCopy signal = new HeapCopy();
    private final HeapCopy result = new HeapCopy();

    Conv2dBackwardWeightsScalar(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(Conv2dBackwardWeights.Args args) {
        return Conv2dWalk.supports(args.x(), args.dy(), args.dfilter());
    }

    @Override
    public void run(Conv2dBackwardWeights.Args args) {
        Conv2dWalk walk = Conv2dWalk.of(args.x(), args.dfilter(), args.dy(), args.geometry());
        float[] x = image.of(args.x());
        float[] dy = signal.of(args.dy());
        float[] dfilter = result.ofSize(args.dfilter().elements());
        int tapElements = walk.groupC() * walk.k();
        pool.run(walk.r() * walk.s(), block -> {
            int start = block * tapElements;
            Arrays.fill(dfilter, start, start + tapElements, 0);
            for (int n = 0; n < args.x().dim(0); n++) {
                walk.pixels(
                        n, block / walk.s(), block % walk.s(), (xi, yi) -> pixel(walk, x, xi, dy, yi, dfilter, start));
            }
            HeapCopy.write(dfilter, start, tapElements, args.dfilter().address() + 4L * start);
        });
    }

    private static void pixel(Conv2dWalk walk, float[] x, int xi, float[] dy, int yi, float[] dfilter, int tap) {
        int groupK = walk.groupK();
        for (int group = 0; group < walk.geometry().groups(); group++) {
            for (int c = 0; c < walk.groupC(); c++) {
                MatmulScalar.axpy(
                        x[xi + group * walk.groupC() + c],
                        dy,
                        yi + group * groupK,
                        dfilter,
                        tap + c * walk.k() + group * groupK,
                        groupK);
            }
        }
    }
}
