package io.quern.backend.vector;

/**
 * What tiles in {@linkplain GemmCode machine code} ask for meanwhile: of pixels that a later product reads, a line of each per tile, until
 * all lines have been asked for. For one thread.
 */
final class TilesAhead {
    private long first, second, pixelFirst, pixelSecond;
    private int firstLines, lines, asked;

    /** Asks for nothing, until told to. */
    void nothing() {
        lines = 0;
        asked = 0;
    }

    /**
     * The pixels from {@code first} on, and then those from {@code second} on.
     *
     * @param pixelFirst, pixelSecond bytes from one to the next
     * @param bytesFirst, bytesSecond of each; 0 for none
     */
    void of(long first, long pixelFirst, long bytesFirst, long second, long pixelSecond, long bytesSecond) {
        this.first = first;
        this.pixelFirst = pixelFirst;
        this.second = second;
        this.pixelSecond = pixelSecond;
        firstLines = (int) Math.ceilDiv(bytesFirst, Lanes.LINE);
        lines = firstLines + (int) Math.ceilDiv(bytesSecond, Lanes.LINE);
        asked = 0;
    }

    /**
     * Sets what the next call asks for; returns the tiles that it may have, of {@code tiles}.
     *
     * @param below as {@link GemmCode#below}
     */
    int next(long argument, int tiles, long below) {
        if (asked == lines) {
            GemmCode.ahead(argument, argument, argument, 0, below);
            return tiles;
        }
        boolean early = asked < firstLines;
        long at = early ? first + asked * Lanes.LINE : second + (asked - firstLines) * Lanes.LINE;
        GemmCode.ahead(argument, at, at, early ? pixelFirst : pixelSecond, below);
        asked++;
        return 1;
    }
}
