package io.quern.backend.scalar;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.ActivationKind;
import io.quern.op.Conv2d;
import java.util.Arrays;

/** A row of result pixels at a time; the inner loop is an axpy over the result channels. */
final class Conv2dScalar implements Kernel<Conv2d.Args> {
    private final WorkerPool pool;
    private final HeapCopy image = new HeapCopy();
    private final HeapCopy weights = new HeapCopy();
    private final HeapCopy result = new HeapCopy();

    Conv2dScalar(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(Conv2d.Args args) {
        return Conv2dWalk.supports(args.x(), args.filter(), args.bias(), args.y(), args.preactivation());
    }

    @Override
    public void run(Conv2d.Args args) {
        Conv2dWalk walk = Conv2dWalk.of(args.x(), args.filter(), args.y(), args.geometry());
        float[] x = image.of(args.x());
        float[] filter = weights.of(args.filter());
        float[] y = result.ofSize(args.y().elements());
        float[] bias = args.bias() == null ? null : args.bias().toFloats();
        int rowElements = walk.q() * walk.k();
        pool.run(args.y().dim(0) * walk.p(), block -> {
            int n = block / walk.p();
            int row = block % walk.p();
            int start = block * rowElements;
            for (int i = 0; bias != null && i < rowElements; i += walk.k()) {
                System.arraycopy(bias, 0, y, start + i, walk.k());
            }
            if (bias == null) {
                Arrays.fill(y, start, start + rowElements, 0);
            }
            for (int r = 0; r < walk.r(); r++) {
                for (int s = 0; s < walk.s(); s++) {
                    int tapR = r;
                    int tapS = s;
                    walk.row(n, row, r, s, (xi, yi) -> pixel(walk, x, xi, filter, walk.tap(tapR, tapS, 0), y, yi));
                }
            }
            finish(args, y, start, rowElements);
        });
    }

    private static void pixel(Conv2dWalk walk, float[] x, int xi, float[] filter, int tap, float[] y, int yi) {
        int groupK = walk.groupK();
        for (int group = 0; group < walk.geometry().groups(); group++) {
            for (int c = 0; c < walk.groupC(); c++) {
                MatmulScalar.axpy(
                        x[xi + group * walk.groupC() + c],
                        filter,
                        tap + c * walk.k() + group * groupK,
                        y,
                        yi + group * groupK,
                        groupK);
            }
        }
    }

    private static void finish(Conv2d.Args args, float[] y, int start, int count) {
        long at = 4L * start;
        if (args.preactivation() != null) {
            HeapCopy.write(y, start, count, args.preactivation().address() + at);
        }
        if (args.activation() != ActivationKind.NONE) {
            for (int i = start; i < start + count; i++) {
                y[i] = (float) args.activation().value(y[i]);
            }
        }
        HeapCopy.write(y, start, count, args.y().address() + at);
    }
}
