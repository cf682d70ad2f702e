package io.quern.backend.scalar;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Conv2dBackwardData;
import java.util.Arrays;

/** One image at a time; with the filter turned to (R, S, K, C / groups) the inner loop is an axpy over image channels. */
final class Conv2dBackwardDataScalar implements Kernel<Conv2dBackwardData.Args> {
    private final WorkerPool pool;
    private final HeapCopy signal = new HeapCopy();
    private final HeapCopy weights = new HeapCopy();
    private final HeapCopy turned = new HeapCopy();
    private final HeapCopy result = new HeapCopy();

    Conv2dBackwardDataScalar(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(Conv2dBackwardData.Args args) {
        return Conv2dWalk.supports(args.dy(), args.filter(), args.dx());
    }

    @Override
    public void run(Conv2dBackwardData.Args args) {
        Conv2dWalk walk = Conv2dWalk.of(args.dx(), args.filter(), args.dy(), args.geometry());
        float[] dy = signal.of(args.dy());
        float[] filter = turn(weights.of(args.filter()), walk);
        float[] dx = result.ofSize(args.dx().elements());
        int imageElements = walk.h() * walk.w() * walk.c();
        pool.run(args.dx().dim(0), n -> {
            int start = n * imageElements;
            Arrays.fill(dx, start, start + imageElements, 0);
            for (int r = 0; r < walk.r(); r++) {
                for (int s = 0; s < walk.s(); s++) {
                    int tap = walk.tap(r, s, 0);
                    walk.pixels(n, r, s, (xi, yi) -> pixel(walk, dy, yi, filter, tap, dx, xi));
                }
            }
            HeapCopy.write(dx, start, imageElements, args.dx().address() + 4L * start);
        });
    }

    private static void pixel(Conv2dWalk walk, float[] dy, int yi, float[] filter, int tap, float[] dx, int xi) {
        int groupC = walk.groupC();
        int groupK = walk.groupK();
        for (int k = 0; k < walk.k(); k++) {
            MatmulScalar.axpy(dy[yi + k], filter, tap + k * groupC, dx, xi + k / groupK * groupC, groupC);
        }
    }

    private float[] turn(float[] filter, Conv2dWalk walk) {
        int size = walk.groupC() * walk.k();
        float[] to = turned.ofSize((long) walk.r() * walk.s() * size);
        for (int tap = 0; tap < walk.r() * walk.s(); tap++) {
            for (int c = 0; c < walk.groupC(); c++) {
                for (int k = 0; k < walk.k(); k++) {
                    to[tap * size + k * walk.groupC() + c] = filter[tap * size + c * walk.k() + k];
                }
            }
        }
        return to;
    }
}
