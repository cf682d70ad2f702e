package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Memory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Walks a (rows, channels) matrix as a flat array under factors per channel, which are repeated so often that vectors
 * run over many rows and only the end of the matrix has a tail.
 */
final class ChannelRows {
    /** Elements per repetition that make the cost of a loop small beside its work. */
    private static final int ENOUGH = 1024;

    private ChannelRows() {}

    /** Work on {@code count} elements from {@code from}, at most one period; the first belongs to channel 0. */
    interface Body {
        void run(long from, int count);
    }

    /**
     * Elements after which factors repeat: a multiple of the channels and, unless these are many, of every vector's
     * length; longer for a long matrix, to which filling a period is nothing.
     */
    static int period(int channels, long elements) {
        int fold = ChannelSums.fold(channels);
        while (channels > 0 && fold * channels < ENOUGH && 8L * fold * channels < elements) {
            fold *= 2;
        }
        return fold * channels;
    }

    /** Bytes that the factors of one period take, in whole cache lines. */
    static long bytes(int period) {
        return 4L * period + Memory.ALIGNMENT - 1 & -Memory.ALIGNMENT;
    }

    /** Writes factors of the channels over one period, to native memory: arrays do not start at a cache line. */
    static void repeat(float[] perChannel, int period, long to) {
        for (int i = 0; i < period; i += perChannel.length) {
            MemorySegment.copy(perChannel, 0, ALL, ValueLayout.JAVA_FLOAT_UNALIGNED, to + 4L * i, perChannel.length);
        }
    }

    /** @param period see {@link #period} */
    static void run(WorkerPool pool, long elements, int period, Body body) {
        if (elements == 0) {
            return;
        }
        long perBlock = (long) period * Math.max(1, Ranges.BLOCK / period);
        pool.run(Math.toIntExact((elements + perBlock - 1) / perBlock), block -> {
            long end = Math.min(elements, (block + 1) * perBlock);
            for (long from = block * perBlock; from < end; from += period) {
                body.run(from, (int) Math.min(period, end - from));
            }
        });
    }

    /**
     * The same with one call, of more than a period, for neighbouring blocks.
     *
     * @param blocks of a call at most
     */
    static void shares(WorkerPool pool, long elements, int period, int blocks, Body body) {
        long perBlock = (long) period * Math.max(1, Ranges.BLOCK / period);
        int most = Math.clamp(Integer.MAX_VALUE / perBlock, 1, blocks);
        pool.run(Math.toIntExact((elements + perBlock - 1) / perBlock), most, (first, end) -> {
            long from = first * perBlock;
            body.run(from, (int) Math.min((end - first) * perBlock, elements - from));
        });
    }
}
