package io.quern.backend.vector;

/**
 * The rows of a set of tiles: offsets in bytes of where each reads and writes. The tables go on with copies of
 * the last row, so that a tile of any height may read, though not write, beyond {@code count}.
 *
 * @param near true when each row of any tile lies 0 to {@link Lanes#NEAR} bytes behind the tile's first
 */
record ConvRows(long[] sources, long[] results, int count, boolean near) {
    /** Room for {@code count} rows, to be filled by {@link #set}; what {@link #pad} gives is to be used. */
    static ConvRows allocate(int count) {
        int padded = count == 0 ? 0 : count + ConvTile.MOST_ROWS - 1;
        return new ConvRows(new long[padded], new long[padded], count, false);
    }

    void set(int row, long source, long result) {
        sources[row] = source;
        results[row] = result;
    }

    /** The same tables behind whose rows there are enough copies of the last one. */
    ConvRows pad() {
        for (int i = count; i < sources.length; i++) {
            sources[i] = sources[count - 1];
            results[i] = results[count - 1];
        }
        return new ConvRows(sources, results, count, isNear());
    }

    private boolean isNear() {
        for (int i = 1; i < sources.length; i++) {
            long tile = sources[i] - sources[Math.max(0, i - ConvTile.MOST_ROWS + 1)];
            if (sources[i] < sources[i - 1] || tile > Lanes.NEAR) {
                return false;
            }
        }
        return true;
    }
}
