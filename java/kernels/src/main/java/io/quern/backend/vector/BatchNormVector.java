package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.BatchNorm;

/** One pass for the sums of x and x^2, one for y. */
final class BatchNormVector implements Kernel<BatchNorm.Args> {
    private final WorkerPool pool;
    private final Scratch scratch;

    BatchNormVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    @Override
    public boolean supports(BatchNorm.Args args) {
        return Ranges.flat(args.x(), args.y());
    }

    @Override
    public void run(BatchNorm.Args args) {
        int channels = args.channels();
        double count = args.count();
        double[] sums = ChannelMoments.of(pool, scratch, args.x().address(), args.count(), channels);
        float[] gamma = args.gamma().toFloats();
        float[] runningMean = args.runningMean().toFloats();
        float[] runningVariance = args.runningVariance().toFloats();
        float[] mean = new float[channels];
        float[] inverseDeviation = new float[channels];
        float[] scale = new float[channels];
        for (int c = 0; c < channels; c++) {
            double m = sums[c] / count;
            double variance = Math.max(0, sums[channels + c] / count - m * m);
            double inverse = 1 / Math.sqrt(variance + args.epsilon());
            mean[c] = (float) m;
            inverseDeviation[c] = (float) inverse;
            scale[c] = (float) (inverse * gamma[c]);
            runningMean[c] = mix(runningMean[c], m, args.momentum());
            runningVariance[c] = mix(runningVariance[c], variance * count / (count - 1), args.momentum());
        }
        args.mean().copyFrom(mean);
        args.inverseDeviation().copyFrom(inverseDeviation);
        args.runningMean().copyFrom(runningMean);
        args.runningVariance().copyFrom(runningVariance);
        NormalizeChannels.run(
                pool, scratch, args.x().address(), args.y().address(), args.x().elements(), mean, scale, args.beta());
    }

    private static float mix(float running, double batch, double momentum) {
        return (float) ((1 - momentum) * running + momentum * batch);
    }
}
