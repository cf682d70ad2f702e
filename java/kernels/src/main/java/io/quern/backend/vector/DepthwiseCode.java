package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.DepthwiseAssembler.*;

import io.quern.backend.ffi.MachineCode;
import io.quern.backend.vector.DepthwiseAssembler.Loop;

/**
 * {@link DepthwiseCorrelation} and {@link DepthwiseGradient} as machine code, for x86-64 with AVX-512, with the same bits (but for which of
 * two NaN is passed on). While one vector of channels is passed, the lines of the next one are asked for, 64 bytes further: they lie a
 * pixel apart, which no machine foresees. Or, where all come from memory, the lines of the next rows, one behind the other.
 */
final class DepthwiseCode {
    private static final int SIDE = ConvDepthwise.SIDE, TAPS = ConvDepthwise.TAPS;
    /** Multiply-adds of vectors in a call: some microseconds, see {@link MachineCode#brief}; one row is the least. */
    private static final int WORK = 1 << 15;
    /** Pixels of a row at most, and rows of a band for which there should be a table. */
    private static final int WIDEST = 4096;

    static final int MOST_ROWS = 1024;

    private static final MachineCode CODE = DepthwiseAssembler.make();
    private static final Scratch ARGUMENTS = new ThreadScratch();

    private DepthwiseCode() {}

    /** Whether there is such code, for rows of so many pixels. */
    static boolean takes(int columns) {
        return columns <= WIDEST && CODE != null;
    }

    /**
     * Some rows of results of an image, for one vector of channels after the other.
     *
     * @param result the first pixel of the image's results, or of dy, {@code count} in a row of {@code line} bytes
     * @param ahead whether lines one behind the other are asked for
     */
    record Band(int stride, int count, int from, int to, long result, long line, boolean ahead, long argument) {
        /**
         * On this thread, until the next.
         *
         * @param first the image's first source
         */
        static Band of(int stride, DepthwiseSource x, long first, long result, int count, int from, int to) {
            int rows = (to - from - 1) * stride + SIDE, pad = x.padW();
            long pixel = x.pixel(), argument = ARGUMENTS.address(ARGUMENT + (long) ROW * rows);
            for (int i = 0; i < rows; i++) {
                long row = x.row(first, from * stride + i), at = argument + ARGUMENT + (long) ROW * i;
                set(at, row);
                set(at + 8, pad == 0 ? row : x.zeros());
                set(at + 16, pad == 2 ? x.zeros() : stride == 1 && pad == 0 ? row + pixel : row);
            }
            set(argument + PIXEL, pixel);
            return new Band(stride, count, from, to, result, count * pixel, false, argument);
        }

        /**
         * What follows asks for lines one behind the other instead of the next vector of channels.
         *
         * @param sources, signal from where on
         */
        Band askingFor(long sources, long signal) {
            set(argument + SOURCES, sources);
            set(argument + SIGNAL, signal);
            return new Band(stride, count, from, to, result, line, true, argument);
        }

        /** Adds to the sums, nine vectors, what the band of dy gives: see {@link DepthwiseGradient}. */
        void gradient(DepthwiseSource x, long column, long sums) {
            int pad = x.padW(), turn = stride == 1 ? SIDE : 2;
            int whole =
                    stride == 1 ? Math.clamp(x.wide() - 2L + pad, 0, count) : Math.min(count, (x.wide() - 1 + pad) / 2);
            set(argument + BEFORE, (stride == 1 ? 2 - pad : 1 - pad) * x.pixel());
            set(argument + TURNS, whole / turn);
            set(argument + SINGLES, whole % turn);
            set(argument + BEHIND, count - whole);
            set(argument + VECTORS, sums);
            run(column, ahead ? Loop.GRADIENT_ON_THE_WAY : Loop.GRADIENT);
        }

        /**
         * Writes the band of results: see {@link DepthwiseCorrelation}.
         *
         * @param filter nine vectors in the order of taps
         * @param bias one vector
         * @param past whether results, whole cache lines then, pass by the caches; then the band is one {@link #askingFor} lines
         */
        void correlate(DepthwiseSource x, long column, long filter, long bias, int floor, boolean past) {
            int pad = x.padW(), wide = x.wide();
            if (stride == 1) {
                int lead = Math.min(2 - pad, wide);
                set(argument + BEFORE, lead);
                set(argument + TURNS, (wide - lead) / SIDE);
                set(argument + SINGLES, (wide - lead) % SIDE);
                set(argument + BEHIND, pad > 0 ? 1 : 0);
                set(argument + LAST, pad > 1 ? 1 : 0);
            } else {
                int lead = 1 - pad, whole = (wide - lead) / 2;
                set(argument + BEFORE, lead);
                set(argument + TURNS, whole / 2);
                set(argument + SINGLES, whole % 2);
                set(argument + BEHIND, count - whole);
            }
            set(argument + VECTORS, filter);
            set(argument + BIAS, bias);
            setInt(argument + FLOOR, floor);
            run(column, past ? Loop.CORRELATION_PAST : ahead ? Loop.CORRELATION_ON_THE_WAY : Loop.CORRELATION);
        }

        private void run(long column, Loop loop) {
            int most = Math.max(1, WORK / Math.max(1, count * TAPS));
            set(argument + COLUMN, column);
            set(argument + ENTRY, place(stride, loop));
            for (int row = from, some; row < to; row += some) {
                some = Math.min(most, to - row);
                set(argument + TABLE, argument + ARGUMENT + (long) ROW * stride * (row - from));
                set(argument + RESULT, result + row * line + column);
                set(argument + ROWS, some);
                CODE.run(argument, 0, 0, 0, 0, 0);
            }
        }
    }
}
