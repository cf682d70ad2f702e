package io.quern.backend.vector;

import static io.quern.backend.vector.StreamAssembler.A;
import static io.quern.backend.vector.StreamAssembler.FACTOR;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.BiasAdd;

/**
 * y = x + bias: the flat range of x, cut at the ends of rows; narrow rows several at a time, under a repeated bias.
 * Bandwidth bound: the bias stays in cache.
 */
final class BiasAddVector implements Kernel<BiasAdd.Args> {
    /** From this many channels a row is long enough for a loop of its own, under the bias itself. */
    private static final int WIDE = 1024;

    private static final StreamCode STREAM = StreamCode.withFactors(1, step -> {
        step.load(0, A);
        step.add(0, 0, FACTOR);
        step.store(0);
    });

    private final WorkerPool pool;
    private final Scratch scratch;

    BiasAddVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    @Override
    public boolean supports(BiasAdd.Args args) {
        return Ranges.flat(args.x(), args.bias(), args.y());
    }

    @Override
    public void run(BiasAdd.Args args) {
        long x = args.x().address();
        long bias = args.bias().address();
        long y = args.y().address();
        long channels = args.bias().elements(), elements = args.y().elements();
        if (channels < WIDE) {
            int period = ChannelRows.period((int) channels, elements);
            long biases = scratch.address(ChannelRows.bytes(period));
            ChannelRows.repeat(args.bias().toFloats(), period, biases);
            periods(elements, period, x, biases, y);
        } else if (channels <= Ranges.BLOCK) {
            periods(elements, (int) channels, x, bias, y);
        } else {
            rows(elements, channels, x, bias, y);
        }
    }

    private void periods(long elements, int period, long x, long biases, long y) {
        ChannelRows.Body body = (from, count) -> AddVector.add(x + 4 * from, biases, y + 4 * from, count);
        if (STREAM.repeats(elements, period, y, x, 0)) {
            STREAM.repeat(pool, body, elements, period, y, x, 0, biases);
        } else {
            ChannelRows.run(pool, elements, period, body);
        }
    }

    /** Rows longer than a block. */
    private void rows(long elements, long channels, long x, long bias, long y) {
        Ranges.run(pool, elements, (from, count) -> {
            long channel = from % channels;
            int length;
            for (int i = 0; i < count; i += length) {
                length = (int) Math.min(channels - channel, count - i);
                long at = 4 * (from + i);
                AddVector.add(x + at, bias + 4 * channel, y + at, length);
                channel = 0;
            }
        });
    }
}
