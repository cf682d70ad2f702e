package io.quern.backend.vector;

import io.quern.backend.WorkerPool;

/**
 * Walks a (rows, channels) matrix as a flat array under factors per channel, which are repeated so often that vectors
 * run over many rows and only the end of the matrix has a tail.
 */
final class ChannelRows {
    /** Elements per repetition that make the cost of a loop small. */
    private static final int ENOUGH = 256;

    private ChannelRows() {}

    /** Work on {@code count} elements from {@code from}, at most one period; the first belongs to channel 0. */
    interface Body {
        void run(long from, int count);
    }

    /** Elements after which the factors repeat: a multiple of the channels. */
    static int period(int channels) {
        int fold = ChannelSums.fold(channels);
        while (channels > 0 && fold * channels < ENOUGH) {
            fold *= 2;
        }
        return fold * channels;
    }

    /** Factors of the channels, repeated over one period. */
    static float[] repeat(float[] perChannel) {
        float[] repeated = new float[period(perChannel.length)];
        for (int i = 0; i < repeated.length; i += perChannel.length) {
            System.arraycopy(perChannel, 0, repeated, i, perChannel.length);
        }
        return repeated;
    }

    static void run(WorkerPool pool, long elements, int channels, Body body) {
        if (elements == 0) {
            return;
        }
        int period = period(channels);
        long perBlock = (long) period * Math.max(1, Ranges.BLOCK / period);
        pool.run(Math.toIntExact((elements + perBlock - 1) / perBlock), block -> {
            long end = Math.min(elements, (block + 1) * perBlock);
            for (long from = block * perBlock; from < end; from += period) {
                body.run(from, (int) Math.min(period, end - from));
            }
        });
    }
}
