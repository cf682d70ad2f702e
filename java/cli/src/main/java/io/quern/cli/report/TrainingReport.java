package io.quern.cli.report;

import io.quern.cli.run.Metrics;
import io.quern.cli.run.TextFile;
import io.quern.train.ConfusionMatrix;
import io.quern.train.Evaluation;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * report.html of a run: one file, readable without a network.
 *
 * @param title for example {@code strokes, default model}
 * @param data one line about the data
 * @param summary the model's table of layers
 * @param parameters number of trained values
 * @param mistakes the most confident wrong answers
 * @param timing names and values
 * @param options names and values
 * @param environment names and values
 */
public record TrainingReport(
        String title,
        String data,
        String summary,
        long parameters,
        List<String> classNames,
        List<Metrics> epochs,
        Evaluation test,
        List<Mistake> mistakes,
        Map<String, String> timing,
        Map<String, String> options,
        Map<String, String> environment) {

    public void write(Path file) {
        TextFile.write(file, Html.page("Quern: " + title, body()));
    }

    private String body() {
        StringBuilder html = new StringBuilder();
        html.append("<header><h1>").append(Html.escape(title)).append("</h1></header>\n");
        html.append("<p class=\"soft\">").append(Html.escape(data)).append("</p>\n");
        html.append(facts());
        html.append("<div class=\"side rows\">\n").append(curves()).append("</div>\n");
        ConfusionMatrix confusion = test.confusion();
        html.append("<div class=\"side rows\">\n");
        html.append(Html.section("Confusion matrix of the test part", ConfusionTable.html(confusion, classNames)));
        html.append(Html.section("Test part by class", byClass(confusion)));
        html.append("</div>\n");
        html.append(examples());
        html.append("<div class=\"side rows\">\n");
        html.append(Html.section("Options", Html.table(options)));
        html.append("<div>\n");
        html.append(
                Html.section("Timing", Html.table(timing)).replaceFirst("<section>", "<section style=\"margin: 0\">"));
        html.append(Html.section("Machine", Html.table(environment)));
        html.append("</div>\n</div>\n");
        html.append(Html.section("Model", "<pre>" + Html.escape(summary) + "</pre>\n"));
        return html.append("<footer>Written by quern. The figures are in metrics.csv, the options in config.json beside"
                        + " this page.</footer>\n")
                .toString();
    }

    private String facts() {
        ConfusionMatrix confusion = test.confusion();
        return "<div class=\"facts\">\n"
                + Html.fact(Html.percent(test.accuracy()), "test accuracy")
                + Html.fact(Html.number("%.4f", test.loss()), "test loss")
                + Html.fact(Html.number("%.4f", confusion.macroF1()), "macro F1")
                + Html.fact(Html.number("%.4f", test.auroc()), "AUROC, one against the rest")
                + Html.fact(Html.number("%,.0f", parameters), "parameters")
                + Html.fact(timing.getOrDefault("training", "-"), "training")
                + "</div>\n";
    }

    private String curves() {
        return Html.section(
                        "Loss",
                        new SvgChart("Loss", "%.4f")
                                .line("training", values(Metrics::loss))
                                .line("validation", values(Metrics::validationLoss))
                                .svg())
                + Html.section(
                        "Accuracy in percent",
                        new SvgChart("Accuracy", "%.2f %%")
                                .line("training", values(epoch -> 100 * epoch.accuracy()))
                                .line("validation", values(epoch -> 100 * epoch.validationAccuracy()))
                                .svg());
    }

    private List<Double> values(Function<Metrics, Double> column) {
        return epochs.stream().map(column).toList();
    }

    private String byClass(ConfusionMatrix confusion) {
        StringBuilder html = new StringBuilder("<table class=\"lines\">\n<tr><th>class</th><th class=\"number\">samples"
                + "</th><th class=\"number\">precision</th><th class=\"number\">recall</th>"
                + "<th class=\"number\">F1</th></tr>\n");
        for (int c = 0; c < confusion.classes(); c++) {
            html.append(row(
                    classNames.get(c),
                    confusion.actual(c),
                    confusion.precision(c),
                    confusion.recall(c),
                    confusion.f1(c)));
        }
        html.append(row(
                "mean", confusion.samples(), confusion.macroPrecision(), confusion.macroRecall(), confusion.macroF1()));
        return html.append("</table>\n").toString();
    }

    private static String row(String name, long samples, double precision, double recall, double f1) {
        StringBuilder html =
                new StringBuilder("<tr><td>").append(Html.escape(name)).append("</td>");
        for (String cell : List.of(
                Html.number("%,.0f", samples),
                Html.number("%.4f", precision),
                Html.number("%.4f", recall),
                Html.number("%.4f", f1))) {
            html.append("<td class=\"number\">").append(cell).append("</td>");
        }
        return html.append("</tr>\n").toString();
    }

    private String examples() {
        if (mistakes.isEmpty()) {
            return "";
        }
        StringBuilder html = new StringBuilder("<div class=\"examples\">\n");
        for (Mistake mistake : mistakes) {
            html.append("<figure>")
                    .append(Pictures.inline(
                            Pictures.image(mistake.shape(), mistake.values()), "test image " + mistake.index()))
                    .append("<figcaption>said <b>")
                    .append(Html.escape(mistake.predicted()))
                    .append("</b><br>")
                    .append(Html.number("%.0f %% sure", 100 * mistake.confidence()))
                    .append("<br>true <b>")
                    .append(Html.escape(mistake.actual()))
                    .append("</b>")
                    .append("</figcaption></figure>\n");
        }
        return Html.section(
                "Mistakes of the test part, the most confident first",
                html.append("</div>\n").toString());
    }
}
