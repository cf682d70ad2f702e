package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.BatchNormInferenceBackward;
import jdk.incubator.vector.FloatVector;

/** The sums of {@link BatchNormBackwardVector} if they are asked for, then dy times a factor per channel. */
final class BatchNormInferenceBackwardVector implements Kernel<BatchNormInferenceBackward.Args> {
    private final WorkerPool pool;
    private final Scratch scratch;

    BatchNormInferenceBackwardVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    @Override
    public boolean supports(BatchNormInferenceBackward.Args args) {
        return Ranges.flat(args.x(), args.dy(), args.dx());
    }

    @Override
    public void run(BatchNormInferenceBackward.Args args) {
        int channels = args.channels();
        double[] inverse = new double[channels];
        for (int c = 0; c < channels; c++) {
            inverse[c] = 1 / Math.sqrt(args.variance().get(c) + args.epsilon());
        }
        if (args.dgamma() != null) {
            long rows = channels == 0 ? 0 : args.x().elements() / channels;
            double[] sums = ChannelGradients.of(
                    pool,
                    scratch,
                    args.x().address(),
                    args.dy().address(),
                    args.mean().toFloats(),
                    rows);
            for (int c = 0; c < channels; c++) {
                args.dgamma().set(c, sums[channels + c] * inverse[c]);
                args.dbeta().set(c, sums[c]);
            }
        }
        if (args.dx() != null) {
            float[] scale = new float[channels];
            for (int c = 0; c < channels; c++) {
                scale[c] = (float) (args.gamma().get(c) * inverse[c]);
            }
            int period = ChannelRows.period(channels, args.dx().elements());
            long scales = scratch.address(ChannelRows.bytes(period));
            ChannelRows.repeat(scale, period, scales);
            long dy = args.dy().address();
            long dx = args.dx().address();
            ChannelRows.run(
                    pool,
                    args.x().elements(),
                    period,
                    (from, count) -> scale(dy + 4 * from, dx + 4 * from, scales, count));
        }
    }

    private static void scale(long dy, long dx, long scale, int count) {
        int i = 0;
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            FloatVector.fromMemorySegment(Lanes.F, ALL, dy + 4L * i, Lanes.ORDER)
                    .mul(FloatVector.fromMemorySegment(Lanes.F, ALL, scale + 4L * i, Lanes.ORDER))
                    .intoMemorySegment(ALL, dx + 4L * i, Lanes.ORDER);
        }
        for (; i < count; i++) {
            Rows.set(dx + 4L * i, Rows.get(dy + 4L * i) * Rows.get(scale + 4L * i));
        }
    }
}
