package io.quern.cli.report;

import io.quern.cli.run.TextFile;
import io.quern.tensor.Shape;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The page of one explanation: the picture, the heat map, the prediction and how well the parts add up.
 *
 * @param image name of the file
 * @param shape (height, width, channels)
 * @param values the picture, HWC, 0..1
 * @param relevance one value per pixel, summed over channels
 * @param predictions class names with their probability, the likeliest first
 * @param facts names and values: method, target, residuals
 */
public record ExplanationReport(
        String image,
        String method,
        String target,
        Shape shape,
        float[] values,
        float[] relevance,
        List<Map.Entry<String, Double>> predictions,
        Map<String, String> facts) {
    /** The strongest half percent of the pixels share the end of the scale. */
    private static final double QUANTILE = 0.995;

    private static final int SHOWN = 5;

    public void write(Path file) {
        TextFile.write(file, Html.page("Quern: why " + target, body()));
    }

    private String body() {
        int height = shape.dim(0);
        int width = shape.dim(1);
        DivergingScale scale = DivergingScale.covering(relevance, QUANTILE);
        String pictures = "<div class=\"explained\">\n"
                + figure(Pictures.inline(Pictures.image(shape, values), "the image"), "<b>Image</b>")
                + figure(
                        Pictures.inline(Pictures.heatMap(height, width, relevance, scale), "the heat map"),
                        "<b>Heat map</b>: what each pixel adds")
                + figure(
                        Pictures.inline(Pictures.image(Shape.of(height, width, 3), over(scale)), "both"),
                        "<b>Both</b>: the heat map over the image in gray")
                + "</div>\n"
                + scale.legend();
        return "<header><h1>Why " + Html.escape(target) + "?</h1><span class=\"soft\">" + Html.escape(image)
                + "</span></header>\n"
                + "<p class=\"soft\">" + Html.escape(method) + "</p>\n"
                + "<section>\n" + pictures + "</section>\n"
                + "<div class=\"side rows\">\n"
                + Html.section("Prediction", bars())
                + Html.section("Explanation", Html.table(facts))
                + "</div>\n"
                + "<footer>Written by quern. Red pixels raise the score of the class, blue pixels lower it; the scale is"
                + " symmetric.</footer>\n";
    }

    private static String figure(String picture, String caption) {
        return "<figure>" + picture + "<figcaption>" + caption + "</figcaption></figure>\n";
    }

    private String bars() {
        StringBuilder html = new StringBuilder("<table class=\"lines\">\n");
        for (Map.Entry<String, Double> entry : predictions.subList(0, Math.min(SHOWN, predictions.size()))) {
            html.append(String.format(
                    Locale.ROOT,
                    "<tr><td>%s</td><td><div class=\"bar\"><i style=\"width: %.1f%%\"></i></div></td>"
                            + "<td class=\"number\">%s</td></tr>%n",
                    Html.escape(entry.getKey()),
                    100 * entry.getValue(),
                    Html.percent(entry.getValue())));
        }
        return html.append("</table>\n").toString();
    }

    /** The gray image, faded, with the colours laid over it by their strength. */
    private float[] over(DivergingScale scale) {
        int pixels = relevance.length;
        int channels = shape.dim(2);
        float[] mixed = new float[pixels * 3];
        for (int pixel = 0; pixel < pixels; pixel++) {
            float gray = 0;
            for (int c = 0; c < channels; c++) {
                gray += Math.clamp(values[pixel * channels + c], 0f, 1f) / channels;
            }
            float faded = 0.45f + 0.5f * gray;
            float strength =
                    scale.limit() > 0 ? (float) Math.sqrt(Math.min(1, Math.abs(relevance[pixel]) / scale.limit())) : 0;
            int rgb = scale.rgb(relevance[pixel]);
            for (int c = 0; c < 3; c++) {
                float colour = (rgb >> 16 - 8 * c & 0xff) / 255f;
                mixed[3 * pixel + c] = faded + strength * (colour - faded);
            }
        }
        return mixed;
    }
}
