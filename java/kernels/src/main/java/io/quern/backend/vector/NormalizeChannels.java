package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;
import jdk.incubator.vector.FloatVector;

/** y = (x - mean) scale + beta per channel. Bandwidth bound: one load, one store; the factors stay in cache. */
final class NormalizeChannels {
    private NormalizeChannels() {}

    static void run(WorkerPool pool, long x, long y, long elements, float[] mean, float[] scale, Tensor beta) {
        float[] means = ChannelRows.repeat(mean);
        float[] scales = ChannelRows.repeat(scale);
        float[] betas = ChannelRows.repeat(beta.toFloats());
        ChannelRows.run(
                pool,
                elements,
                mean.length,
                (from, count) -> normalize(x + 4 * from, y + 4 * from, means, scales, betas, count));
    }

    private static void normalize(long x, long y, float[] mean, float[] scale, float[] beta, int count) {
        int i = 0;
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            FloatVector.fromMemorySegment(Lanes.F, ALL, x + 4L * i, Lanes.ORDER)
                    .sub(FloatVector.fromArray(Lanes.F, mean, i))
                    .fma(FloatVector.fromArray(Lanes.F, scale, i), FloatVector.fromArray(Lanes.F, beta, i))
                    .intoMemorySegment(ALL, y + 4L * i, Lanes.ORDER);
        }
        for (; i < count; i++) {
            Rows.set(y + 4L * i, Math.fma(Rows.get(x + 4L * i) - mean[i], scale[i], beta[i]));
        }
    }
}
