package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.StreamAssembler.A;
import static io.quern.backend.vector.StreamAssembler.FACTOR;
import static io.quern.backend.vector.StreamAssembler.FACTOR_2;
import static io.quern.backend.vector.StreamAssembler.FACTOR_3;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;
import jdk.incubator.vector.FloatVector;

/** y = (x - mean) scale + beta per channel. Bandwidth bound: one load, one store; the factors stay in cache. */
final class NormalizeChannels {
    private static final StreamCode STREAM = StreamCode.withFactors(4, step -> {
        step.load(0, A);
        step.subtractStream(0, 0, FACTOR);
        step.load(1, FACTOR_2);
        step.multiplyAddStream(0, 1, FACTOR_3);
        step.store(0);
    });

    private NormalizeChannels() {}

    static void run(
            WorkerPool pool, Scratch scratch, long x, long y, long elements, float[] mean, float[] scale, Tensor beta) {
        int period = ChannelRows.period(mean.length, elements);
        long bytes = ChannelRows.bytes(period);
        boolean streams = STREAM.repeats(elements, period, y, x, 0);
        long means = scratch.address((streams ? 7 : 3) * bytes);
        long scales = means + bytes;
        long betas = scales + bytes;
        ChannelRows.repeat(mean, period, means);
        ChannelRows.repeat(scale, period, scales);
        ChannelRows.repeat(beta.toFloats(), period, betas);
        ChannelRows.Body body = (from, count) -> normalize(x + 4 * from, y + 4 * from, means, scales, betas, count);
        if (streams) {
            long turns = betas + bytes;
            StreamCode.inTurn(means, 3, bytes, turns);
            STREAM.repeat(pool, body, elements, period, y, x, 0, turns);
        } else {
            ChannelRows.run(pool, elements, period, body);
        }
    }

    private static void normalize(long x, long y, long mean, long scale, long beta, int count) {
        int i = 0;
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            long at = 4L * i;
            FloatVector.fromMemorySegment(Lanes.F, ALL, x + at, Lanes.ORDER)
                    .sub(FloatVector.fromMemorySegment(Lanes.F, ALL, mean + at, Lanes.ORDER))
                    .fma(
                            FloatVector.fromMemorySegment(Lanes.F, ALL, scale + at, Lanes.ORDER),
                            FloatVector.fromMemorySegment(Lanes.F, ALL, beta + at, Lanes.ORDER))
                    .intoMemorySegment(ALL, y + at, Lanes.ORDER);
        }
        for (; i < count; i++) {
            long at = 4L * i;
            Rows.set(
                    y + at,
                    Math.fma(Rows.get(x + at) - Rows.get(mean + at), Rows.get(scale + at), Rows.get(beta + at)));
        }
    }
}
