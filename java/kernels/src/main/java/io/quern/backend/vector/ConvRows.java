package io.quern.backend.vector;

/**
 * The rows of a set of tiles: offsets in bytes of where each reads and writes. The tables go on with copies of
 * the first row, so that a tile of any height may read, though not write, beyond {@code count}.
 */
record ConvRows(long[] sources, long[] results, int count) {
    /** Room for {@code count} rows, to be filled by {@link #set} and closed by {@link #pad}. */
    static ConvRows allocate(int count) {
        int padded = count == 0 ? 0 : count + ConvTile.MOST_ROWS - 1;
        return new ConvRows(new long[padded], new long[padded], count);
    }

    void set(int row, long source, long result) {
        sources[row] = source;
        results[row] = result;
    }

    ConvRows pad() {
        for (int i = count; i < sources.length; i++) {
            sources[i] = sources[0];
            results[i] = results[0];
        }
        return this;
    }
}
