package io.quern.cli;

import io.quern.train.ConfusionMatrix;
import io.quern.train.Evaluation;
import java.util.List;
import java.util.Locale;

/** Results of an evaluation as text. */
final class Scores {
    private static final int NAME_WIDTH = 24;
    private static final int SHOWN_CLASSES = 30;

    private Scores() {}

    /** The line every training and evaluation ends with: {@code test accuracy 99.12 % (9912/10000)}. */
    static String accuracyLine(ConfusionMatrix confusion) {
        long right = 0;
        for (int c = 0; c < confusion.classes(); c++) {
            right += confusion.count(c, c);
        }
        return String.format(
                Locale.ROOT, "test accuracy %.2f %% (%d/%d)", 100 * confusion.accuracy(), right, confusion.samples());
    }

    /** Precision, recall and F1 of each class and their means. */
    static String byClass(Evaluation evaluation, List<String> names) {
        ConfusionMatrix confusion = evaluation.confusion();
        int width = names.stream().mapToInt(String::length).max().orElse(0);
        width = Math.clamp(width, "class".length(), NAME_WIDTH);
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT, "%-" + width + "s %9s %9s %9s %9s%n", "class", "samples", "precision", "recall", "F1"));
        for (int c = 0; c < confusion.classes(); c++) {
            text.append(row(
                    width,
                    names.get(c),
                    confusion.actual(c),
                    confusion.precision(c),
                    confusion.recall(c),
                    confusion.f1(c)));
        }
        return text.append(row(
                        width,
                        "mean",
                        confusion.samples(),
                        confusion.macroPrecision(),
                        confusion.macroRecall(),
                        confusion.macroF1()))
                .toString();
    }

    private static String row(int width, String name, long samples, double precision, double recall, double f1) {
        return String.format(
                Locale.ROOT,
                "%-" + width + "s %9d %9.4f %9.4f %9.4f%n",
                cut(name, width),
                samples,
                precision,
                recall,
                f1);
    }

    /** Rows: the true class. Columns: what the model said. */
    static String confusion(ConfusionMatrix confusion, List<String> names) {
        int classes = confusion.classes();
        if (classes > SHOWN_CLASSES) {
            return "confusion matrix: too wide for text with " + classes + " classes; see the report\n";
        }
        int cell = Math.max(4, Long.toString(confusion.samples()).length() + 1);
        int width = Math.clamp(names.stream().mapToInt(String::length).max().orElse(0), 4, NAME_WIDTH);
        StringBuilder text = new StringBuilder("confusion matrix (rows: true class, columns: what the model said)\n");
        text.append(" ".repeat(width));
        names.forEach(name -> text.append(String.format("%" + cell + "s", cut(name, cell - 1))));
        for (int actual = 0; actual < classes; actual++) {
            text.append(String.format("%n%-" + width + "s", cut(names.get(actual), width)));
            for (int predicted = 0; predicted < classes; predicted++) {
                long count = confusion.count(actual, predicted);
                text.append(String.format("%" + cell + "s", count == 0 ? "." : Long.toString(count)));
            }
        }
        return text.append('\n').toString();
    }

    private static String cut(String name, int width) {
        return name.length() <= width ? name : name.substring(0, width);
    }
}
