package io.quern.cli;

import picocli.CommandLine;

/**
 * How often a training saves its state within an epoch.
 *
 * @param batches 0: not by batches
 * @param seconds 0: not by the clock
 */
record CheckpointInterval(int batches, double seconds) {
    /** Reads {@code 500} (batches) or {@code 60s} (seconds). */
    static final class Converter implements CommandLine.ITypeConverter<CheckpointInterval> {
        @Override
        public CheckpointInterval convert(String text) {
            try {
                CheckpointInterval interval = text.endsWith("s")
                        ? new CheckpointInterval(0, Double.parseDouble(text.substring(0, text.length() - 1)))
                        : new CheckpointInterval(Integer.parseInt(text), 0);
                if (interval.batches >= 0 && interval.seconds >= 0 && interval.seconds < Double.POSITIVE_INFINITY) {
                    return interval;
                }
            } catch (NumberFormatException e) {
                // told below, with what is expected
            }
            throw new CommandLine.TypeConversionException(
                    "'" + text + "' is no interval; write a number of batches such as 500, or seconds such as 60s");
        }
    }
}
