package io.quern.cli.report;

/**
 * Colours for signed values on a symmetric scale: blue for negative, white for zero, red for positive. The eleven anchors
 * are ColorBrewer's RdBu, which people with any colour blindness can read. Harrower, Brewer, "ColorBrewer.org", 2003.
 */
public final class DivergingScale {
    private static final int[] ANCHORS = {
        0x053061, 0x2166ac, 0x4393c3, 0x92c5de, 0xd1e5f0, 0xf7f7f7, 0xfddbc7, 0xf4a582, 0xd6604d, 0xb2182b, 0x67001f
    };

    private final double limit;

    /** @param limit the absolute value that gets the strongest colours; 0 makes everything white */
    public DivergingScale(double limit) {
        this.limit = limit;
    }

    /**
     * A scale whose end is the given quantile of the absolute values, so that one outlying pixel does not bleach the rest.
     *
     * @param quantile 1 for the largest
     */
    public static DivergingScale covering(float[] values, double quantile) {
        float[] sizes = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            sizes[i] = Math.abs(values[i]);
        }
        java.util.Arrays.sort(sizes);
        double limit = sizes.length == 0 ? 0 : sizes[(int) Math.round(quantile * (sizes.length - 1))];
        return new DivergingScale(limit > 0 || sizes.length == 0 ? limit : sizes[sizes.length - 1]);
    }

    /** The absolute value at both ends. */
    public double limit() {
        return limit;
    }

    /** 0xRRGGBB; values beyond the limit get the colour of the end. */
    public int rgb(double value) {
        double share = limit > 0 ? Math.clamp(value / limit, -1, 1) : 0;
        double at = (share + 1) / 2 * (ANCHORS.length - 1);
        int from = Math.min((int) at, ANCHORS.length - 2);
        double mix = at - from;
        int rgb = 0;
        for (int shift = 16; shift >= 0; shift -= 8) {
            int low = ANCHORS[from] >> shift & 0xff;
            int high = ANCHORS[from + 1] >> shift & 0xff;
            rgb |= (int) Math.round(low + mix * (high - low)) << shift;
        }
        return rgb;
    }

    /** The legend: a bar of all colours over the values at its ends and middle. */
    String legend() {
        StringBuilder stops = new StringBuilder();
        for (int i = 0; i < ANCHORS.length; i++) {
            stops.append("<stop offset=\"%d%%\" stop-color=\"#%06x\"/>".formatted(10 * i, ANCHORS[i]));
        }
        return """
                <div class="legend">
                <svg viewBox="0 0 560 56" role="img" aria-label="Colour scale">
                <defs><linearGradient id="scale">%s</linearGradient></defs>
                <rect x="10" y="2" width="540" height="16" rx="3" fill="url(#scale)"/>
                <text x="10" y="34">%s</text>
                <text x="280" y="34" text-anchor="middle">0</text>
                <text x="550" y="34" text-anchor="end">+%s</text>
                <text x="10" y="51">speaks against the class</text>
                <text x="550" y="51" text-anchor="end">speaks for the class</text>
                </svg>
                </div>
                """.formatted(stops, Html.number("%.3g", -limit), Html.number("%.3g", limit));
    }
}
