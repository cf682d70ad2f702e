package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.BatchNormInference;

/** One pass over x under factors per channel. */
final class BatchNormInferenceVector implements Kernel<BatchNormInference.Args> {
    private final WorkerPool pool;
    private final Scratch scratch;

    BatchNormInferenceVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    @Override
    public boolean supports(BatchNormInference.Args args) {
        return Ranges.flat(args.x(), args.y());
    }

    @Override
    public void run(BatchNormInference.Args args) {
        float[] scale = new float[args.channels()];
        for (int c = 0; c < scale.length; c++) {
            double inverse = 1 / Math.sqrt(args.variance().get(c) + args.epsilon());
            scale[c] = (float) (inverse * args.gamma().get(c));
        }
        NormalizeChannels.run(
                pool,
                scratch,
                args.x().address(),
                args.y().address(),
                args.x().elements(),
                args.mean().toFloats(),
                scale,
                args.beta());
    }
}
