package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.StreamAssembler.A;
import static io.quern.backend.vector.StreamAssembler.B;
import static io.quern.backend.vector.StreamAssembler.FACTOR;
import static io.quern.backend.vector.StreamAssembler.FACTOR_2;
import static io.quern.backend.vector.StreamAssembler.FACTOR_3;
import static io.quern.backend.vector.StreamAssembler.FACTOR_4;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.BatchNormBackward;
import jdk.incubator.vector.FloatVector;

/** One pass for the sums of dy and dy (x - mean), one for dx. */
final class BatchNormBackwardVector implements Kernel<BatchNormBackward.Args> {
    private static final StreamCode STREAM = StreamCode.withFactors(4, step -> {
        step.load(0, A);
        step.subtractStream(0, 0, FACTOR);
        step.multiplyStream(0, 0, FACTOR_2);
        step.load(1, B);
        step.subtractStream(1, 1, FACTOR_3);
        step.subtract(1, 1, 0);
        step.multiplyStream(1, 1, FACTOR_4);
        step.store(1);
    });

    private final WorkerPool pool;
    private final Scratch scratch;

    BatchNormBackwardVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
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
        double[] sums =
                ChannelGradients.of(pool, scratch, args.x().address(), args.dy().address(), mean, args.count());
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
            gradient(args, mean, scale, shift, slope);
        }
    }

    private void gradient(BatchNormBackward.Args args, float[] mean, float[] scale, float[] shift, float[] slope) {
        long elements = args.x().elements();
        int period = ChannelRows.period(args.channels(), elements);
        long bytes = ChannelRows.bytes(period);
        long x = args.x().address();
        long dy = args.dy().address();
        long dx = args.dx().address();
        boolean streams = STREAM.repeats(elements, period, dx, x, dy);
        long factors = scratch.address((streams ? 8 : 4) * bytes);
        ChannelRows.repeat(mean, period, factors);
        ChannelRows.repeat(slope, period, factors + bytes);
        ChannelRows.repeat(shift, period, factors + 2 * bytes);
        ChannelRows.repeat(scale, period, factors + 3 * bytes);
        ChannelRows.Body body =
                (from, count) -> gradient(x + 4 * from, dy + 4 * from, dx + 4 * from, factors, bytes, count);
        if (streams) {
            StreamCode.inTurn(factors, 4, bytes, factors + 4 * bytes);
            STREAM.repeat(pool, body, elements, period, dx, x, dy, factors + 4 * bytes);
        } else {
            ChannelRows.run(pool, elements, period, body);
        }
    }

    /** @param factors mean, slope, shift and scale, {@code bytes} apart */
    private static void gradient(long x, long dy, long dx, long factors, long bytes, int count) {
        int i = 0;
        for (; i <= count - Lanes.FLOATS; i += Lanes.FLOATS) {
            long at = 4L * i;
            FloatVector rest = FloatVector.fromMemorySegment(Lanes.F, ALL, x + at, Lanes.ORDER)
                    .sub(FloatVector.fromMemorySegment(Lanes.F, ALL, factors + at, Lanes.ORDER))
                    .mul(FloatVector.fromMemorySegment(Lanes.F, ALL, factors + bytes + at, Lanes.ORDER));
            FloatVector.fromMemorySegment(Lanes.F, ALL, dy + at, Lanes.ORDER)
                    .sub(FloatVector.fromMemorySegment(Lanes.F, ALL, factors + 2 * bytes + at, Lanes.ORDER))
                    .sub(rest)
                    .mul(FloatVector.fromMemorySegment(Lanes.F, ALL, factors + 3 * bytes + at, Lanes.ORDER))
                    .intoMemorySegment(ALL, dx + at, Lanes.ORDER);
        }
        for (; i < count; i++) {
            long at = 4L * i;
            float rest = (Rows.get(x + at) - Rows.get(factors + at)) * Rows.get(factors + bytes + at);
            float difference = Rows.get(dy + at) - Rows.get(factors + 2 * bytes + at) - rest;
            Rows.set(dx + at, difference * Rows.get(factors + 3 * bytes + at));
        }
    }
}
