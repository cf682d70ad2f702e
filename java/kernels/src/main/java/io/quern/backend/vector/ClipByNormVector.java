package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.ClipByNorm;
import io.quern.op.Scale;

/** The factor is read once; the rest is {@link ScaleVector}, and nothing at all where nothing is to be clipped. */
final class ClipByNormVector implements Kernel<ClipByNorm.Args> {
    private final ScaleVector scale;

    ClipByNormVector(WorkerPool pool) {
        this.scale = new ScaleVector(pool);
    }

    @Override
    public boolean supports(ClipByNorm.Args args) {
        return Ranges.flat(args.x(), args.square(), args.y());
    }

    @Override
    public void run(ClipByNorm.Args args) {
        double factor = args.factor();
        if (factor != 1 || args.x().address() != args.y().address()) {
            scale.run(new Scale.Args(args.x(), args.y(), factor));
        }
    }
}
