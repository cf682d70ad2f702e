package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.BatchNormBackward;
import jdk.incubator.vector.FloatVector;

/** One pass for the sums of dy and dy (x - mean), one for dx. */
final class BatchNormBackwardVector implements Kernel<BatchNormBackward.Args> {
    private final WorkerPool pool;

    BatchNormBackwardVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(BatchNormBackward.Args args) {
        return Ranges.flat(args.x(), args.dy(), args.dx());
    }

    @Override
    public void run(BatchNormBackward.Args args) {
        int channels = args.channels();
        double count = args.count();
        float[] mean = args.mean().toFloats();
        double[] sums = ChannelGradients.of(pool, args.x().address(), args.dy().address(), mean, args.count());
        float[] gamma = args.gamma().toFloats();
        float[] inverseDeviation = args.inverseDeviation().toFloats();
        float[] dgamma = new float[channels];
        float[] dbeta = new float[channels];
        // dx = scale (dy - shift - (x - mean) slope)
        float[] scale = new float[channels];
        float[] shift = new float[channels];
        float[] slope = new float[channels];
        for (int c = 0; c < channels; c++) {
            double inverse = inverseDeviation[c];
            double along = sums[channels + c] * inverse;
            dgamma[c] = (float) along;
            dbeta[c] = (float) sums[c];
            scale[c] = (float) (gamma[c] * inverse);
            shift[c] = (float) (sums[c] / count);
            slope[c] = (float) (inverse * along / count);
        }
        args.dgamma().copyFrom(dgamma);
        args.dbeta().copyFrom(dbeta);
        if (args.dx() != null) {
            gradient(args, ChannelRows.repeat(mean), scale, shift, slope);
        }
    }

    private void gradient(BatchNormBackward.Args args, float[] means, float[] scale, float[] shift, float[] slope) {
        float[] scales = ChannelRows.repeat(scale);
        float[] shifts = ChannelRows.repeat(shift);
        float[] slopes = ChannelRows.repeat(slope);
        long x = args.x().address();
        long dy = args.dy().address();
        long dx = args.dx().address();
        ChannelRows.run(
                pool,
                args.x().elements(),
                args.channels(),
                (from, count) ->
                        gradient(x + 4 * from, dy + 4 * from, dx + 4 * from, means, scales, shifts, slopes, count));
    }

    private static void gradient(
            long x, long dy, long dx, float[] mean, float[] scale, float[] shift, float[] slope, int count) {
        int i = 0;
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            long at = 4L * i;
            FloatVector rest = FloatVector.fromMemorySegment(Lanes.F, ALL, x + at, Lanes.ORDER)
                    .sub(FloatVector.fromArray(Lanes.F, mean, i))
                    .mul(FloatVector.fromArray(Lanes.F, slope, i));
            FloatVector.fromMemorySegment(Lanes.F, ALL, dy + at, Lanes.ORDER)
                    .sub(FloatVector.fromArray(Lanes.F, shift, i))
                    .sub(rest)
                    .mul(FloatVector.fromArray(Lanes.F, scale, i))
                    .intoMemorySegment(ALL, dx + at, Lanes.ORDER);
        }
        for (; i < count; i++) {
            long at = 4L * i;
            float rest = (Rows.get(x + at) - mean[i]) * slope[i];
            Rows.set(dx + at, (Rows.get(dy + at) - shift[i] - rest) * scale[i]);
        }
    }
}
