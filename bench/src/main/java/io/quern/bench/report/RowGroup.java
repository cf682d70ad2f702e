package io.quern.bench.report;

import java.util.Collection;
import java.util.Comparator;
import java.util.Map;

/**
 * Rows of which one mean is taken: those of a number of threads, and of a pass where a table has rows enough to tell passes apart.
 *
 * @param pass empty where all passes are together
 */
record RowGroup(int threads, String pass) implements Comparable<RowGroup> {
    private static final int ENOUGH = 24;

    static RowGroup of(Map<String, String> row, Collection<?> rows) {
        String pass = rows.size() < ENOUGH ? "" : row.getOrDefault("pass", "");
        return new RowGroup(Integer.parseInt(row.getOrDefault("threads", "1")), pass);
    }

    /** Which rows, as part of a sentence. */
    String text() {
        String text = "with " + with(threads);
        return pass.isEmpty() ? text : pass + " " + text;
    }

    static String with(int threads) {
        return threads == 1 ? "one thread" : threads + " threads";
    }

    @Override
    public int compareTo(RowGroup other) {
        return Comparator.comparingInt(RowGroup::threads)
                .thenComparing(RowGroup::pass)
                .compare(this, other);
    }
}
