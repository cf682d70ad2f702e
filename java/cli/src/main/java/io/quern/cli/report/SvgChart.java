package io.quern.cli.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A line chart over epochs 1, 2, ... as SVG, coloured by the page's style sheet. */
final class SvgChart {
    private static final int WIDTH = 480;
    private static final int HEIGHT = 250;
    private static final int LEFT = 52;
    private static final int RIGHT = 12;
    private static final int TOP = 30;
    private static final int BOTTOM = 34;

    private record Series(String name, List<Double> values) {}

    private final String title;
    private final String format;
    private final List<Series> series = new ArrayList<>();

    /** @param format how point values read in tool tips, for example {@code %.4f} */
    SvgChart(String title, String format) {
        this.title = title;
        this.format = format;
    }

    /** Adds a line; NaN leaves a gap, and a line of NaN alone is left out. */
    SvgChart line(String name, List<Double> values) {
        if (values.stream().anyMatch(Double::isFinite)) {
            series.add(new Series(name, values));
        }
        return this;
    }

    String svg() {
        double low = Double.POSITIVE_INFINITY;
        double high = Double.NEGATIVE_INFINITY;
        int epochs = 1;
        for (Series line : series) {
            epochs = Math.max(epochs, line.values.size());
            for (double value : line.values) {
                if (Double.isFinite(value)) {
                    low = Math.min(low, value);
                    high = Math.max(high, value);
                }
            }
        }
        Ticks y = series.isEmpty() ? Ticks.covering(0, 1, 4) : Ticks.covering(low, high, 4);
        StringBuilder svg = new StringBuilder();
        svg.append("<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">%n"
                .formatted(WIDTH, HEIGHT, Html.escape(title + " over epochs")));
        axes(svg, y, epochs);
        int keyAt = LEFT;
        for (int s = 0; s < series.size(); s++) {
            draw(svg, s, y, epochs);
            svg.append(text("<line class=\"s%d\" x1=\"%d\" y1=\"12\" x2=\"%d\" y2=\"12\"/>", s, keyAt, keyAt + 22));
            svg.append(text(
                    "<text class=\"key\" x=\"%d\" y=\"16\">%s</text>", keyAt + 28, Html.escape(series.get(s).name)));
            keyAt += 50 + 7 * series.get(s).name.length();
        }
        return svg.append("</svg>\n").toString();
    }

    private void axes(StringBuilder svg, Ticks y, int epochs) {
        for (double tick : y.values()) {
            double at = y(tick, y);
            svg.append(text(
                    "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>", LEFT, at, WIDTH - RIGHT, at));
            svg.append(
                    text("<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>", LEFT - 8, at + 4, y.label(tick)));
        }
        int step = (int) Math.max(1, Math.round(Ticks.covering(0, epochs, 8).step()));
        for (int epoch = 1; epoch <= epochs; epoch++) {
            if (epoch == 1 || epoch % step == 0) {
                svg.append(text(
                        "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>",
                        x(epoch, epochs), HEIGHT - BOTTOM + 18, epoch));
            }
        }
        svg.append(text("<text x=\"%d\" y=\"%d\" text-anchor=\"end\">epoch</text>", WIDTH - RIGHT, HEIGHT - 2));
    }

    private void draw(StringBuilder svg, int index, Ticks y, int epochs) {
        List<Double> values = series.get(index).values;
        StringBuilder path = new StringBuilder();
        boolean pen = false;
        for (int i = 0; i < values.size(); i++) {
            boolean there = Double.isFinite(values.get(i));
            if (there) {
                path.append(text("%s%.1f %.1f", pen ? "L" : "M", x(i + 1, epochs), y(values.get(i), y))
                        .strip());
            }
            pen = there;
        }
        svg.append(text("<path class=\"s%d\" d=\"%s\"/>", index, path));
        for (int i = 0; i < values.size(); i++) {
            if (Double.isFinite(values.get(i))) {
                svg.append(text(
                        "<circle class=\"d%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"%s\"><title>epoch %d: " + format
                                + "</title></circle>",
                        index,
                        x(i + 1, epochs),
                        y(values.get(i), y),
                        epochs > 40 ? "1.5" : "3",
                        i + 1,
                        values.get(i)));
            }
        }
    }

    private static double x(int epoch, int epochs) {
        double share = epochs == 1 ? 0.5 : (epoch - 1.0) / (epochs - 1);
        return LEFT + 14 + share * (WIDTH - LEFT - RIGHT - 28);
    }

    private static double y(double value, Ticks y) {
        return HEIGHT - BOTTOM - (value - y.low()) / (y.high() - y.low()) * (HEIGHT - TOP - BOTTOM);
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values) + "\n";
    }
}
