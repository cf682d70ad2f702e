package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.BatchNorm;
import io.quern.tensor.Tensor;

/** One pass for the sums of x and x^2, one for y. */
final class BatchNormVector implements Kernel<BatchNorm.Args> {
    private final WorkerPool pool;

    BatchNormVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(BatchNorm.Args args) {
        return Ranges.flat(args.x(), args.y());
    }

    @Override
    public void run(BatchNorm.Args args) {
        int channels = args.channels();
        double count = args.count();
        double[] sums = ChannelMoments.of(pool, args.x().address(), args.count(), channels);
        float[] mean = new float[channels];
        float[] scale = new float[channels];
        for (int c = 0; c < channels; c++) {
            double m = sums[c] / count;
            double variance = Math.max(0, sums[channels + c] / count - m * m);
            double inverse = 1 / Math.sqrt(variance + args.epsilon());
            args.mean().set(c, m);
            args.inverseDeviation().set(c, inverse);
            mix(args.runningMean(), c, m, args.momentum());
            mix(args.runningVariance(), c, variance * count / (count - 1), args.momentum());
            mean[c] = (float) m;
            scale[c] = (float) (inverse * args.gamma().get(c));
        }
        NormalizeChannels.run(
                pool, args.x().address(), args.y().address(), args.x().elements(), mean, scale, args.beta());
    }

    private static void mix(Tensor running, int c, double batch, double momentum) {
        running.set(c, (1 - momentum) * running.get(c) + momentum * batch);
    }
}
