package io.quern.cli.report;

import io.quern.train.ConfusionMatrix;
import java.util.List;
import java.util.Locale;

/** A confusion matrix as a table of shaded cells: right blue, wrong orange, both by their share of the class. */
final class ConfusionTable {
    private ConfusionTable() {}

    static String html(ConfusionMatrix matrix, List<String> names) {
        StringBuilder html = new StringBuilder("<table class=\"confusion\">\n<thead><tr><th></th>");
        boolean upright = names.stream().anyMatch(name -> name.length() > 3);
        for (String name : names) {
            html.append("<th scope=\"col\">")
                    .append(upright ? "<div class=\"upright\">" + Html.escape(name) + "</div>" : Html.escape(name))
                    .append("</th>");
        }
        html.append("</tr></thead>\n");
        for (int actual = 0; actual < matrix.classes(); actual++) {
            html.append("<tr><th scope=\"row\">")
                    .append(Html.escape(names.get(actual)))
                    .append("</th>");
            for (int predicted = 0; predicted < matrix.classes(); predicted++) {
                html.append(cell(matrix, names, actual, predicted));
            }
            html.append("</tr>\n");
        }
        return html.append("</table>\n<p class=\"note\">Rows: the true class. Columns: what the model said.</p>\n")
                .toString();
    }

    private static String cell(ConfusionMatrix matrix, List<String> names, int actual, int predicted) {
        long count = matrix.count(actual, predicted);
        if (count == 0) {
            return "<td></td>";
        }
        double share = (double) count / matrix.actual(actual);
        boolean right = actual == predicted;
        // errors are rare: the square root makes them visible
        double alpha = right ? 0.08 + 0.6 * share : 0.1 + 0.8 * Math.sqrt(share);
        return String.format(
                Locale.ROOT,
                "<td style=\"background: rgba(var(--%s), %.2f)\" title=\"%s taken for %s: %d of %d\">%d</td>",
                right ? "cell" : "wrong",
                Math.min(alpha, 0.9),
                Html.escape(names.get(actual)),
                Html.escape(names.get(predicted)),
                count,
                matrix.actual(actual),
                count);
    }
}
