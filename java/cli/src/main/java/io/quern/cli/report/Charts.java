package io.quern.cli.report;

import io.quern.cli.run.Metrics;
import io.quern.data.AtomicFiles;
import io.quern.train.ConfusionMatrix;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.HeatMapChart;
import org.knowm.xchart.HeatMapChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** curves.png and confusion.png, for papers and slides. */
public final class Charts {
    private static final Color BLUE = new Color(0x0072b2);
    private static final Color ORANGE = new Color(0xd55e00);

    private Charts() {}

    /** Whether text can be drawn: the JDK finds fonts through a library that bare servers and containers lack. */
    public static boolean drawable() {
        try {
            new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics().getFontMetrics();
            return true;
        } catch (RuntimeException | LinkageError | InternalError e) {
            return false;
        }
    }

    /** Loss and accuracy over the epochs, beside each other. */
    public static void curves(Path file, List<Metrics> epochs) {
        XYChart loss = chart("Loss", epochs, Metrics::loss, Metrics::validationLoss);
        XYChart accuracy = chart(
                "Accuracy in percent",
                epochs,
                epoch -> 100 * epoch.accuracy(),
                epoch -> 100 * epoch.validationAccuracy());
        BufferedImage left = BitmapEncoder.getBufferedImage(loss);
        BufferedImage right = BitmapEncoder.getBufferedImage(accuracy);
        BufferedImage both =
                new BufferedImage(left.getWidth() + right.getWidth(), left.getHeight(), BufferedImage.TYPE_INT_RGB);
        both.getGraphics().drawImage(left, 0, 0, null);
        both.getGraphics().drawImage(right, left.getWidth(), 0, null);
        AtomicFiles.write(file, out -> out.write(Pictures.png(both)));
    }

    private static XYChart chart(
            String title,
            List<Metrics> epochs,
            ToDoubleFunction<Metrics> training,
            ToDoubleFunction<Metrics> validation) {
        XYChart chart = new XYChartBuilder()
                .width(720)
                .height(480)
                .title(title)
                .xAxisTitle("epoch")
                .build();
        chart.getStyler()
                .setLegendPosition(Styler.LegendPosition.OutsideS)
                .setLegendLayout(Styler.LegendLayout.Horizontal)
                .setLegendBorderColor(Color.WHITE)
                .setChartBackgroundColor(Color.WHITE)
                .setPlotBorderVisible(false);
        chart.getStyler().setXAxisDecimalPattern("0");
        add(chart, "training", epochs, training, BLUE);
        add(chart, "validation", epochs, validation, ORANGE);
        return chart;
    }

    private static void add(
            XYChart chart, String name, List<Metrics> epochs, ToDoubleFunction<Metrics> column, Color color) {
        List<Integer> x = new ArrayList<>();
        List<Double> y = new ArrayList<>();
        for (Metrics epoch : epochs) {
            if (Double.isFinite(column.applyAsDouble(epoch))) {
                x.add(epoch.epoch());
                y.add(column.applyAsDouble(epoch));
            }
        }
        if (!x.isEmpty()) {
            XYSeries series = chart.addSeries(name, x, y);
            series.setMarker(SeriesMarkers.CIRCLE).setMarkerColor(color).setLineColor(color);
        }
    }

    /** Share of each true class (up) that was taken for each class (across), with the counts in the cells. */
    public static void confusion(Path file, ConfusionMatrix matrix, List<String> names) {
        int classes = matrix.classes();
        int side = Math.clamp(200 + 60L * classes, 520, 1600);
        HeatMapChart chart = new HeatMapChartBuilder()
                .width(side + 120)
                .height(side)
                .title("Confusion matrix, rows in percent")
                .xAxisTitle("the model said")
                .yAxisTitle("true class")
                .build();
        chart.getStyler().setChartBackgroundColor(Color.WHITE);
        chart.getStyler()
                .setRangeColors(new Color[] {Color.WHITE, new Color(0x6baed6)})
                .setShowValue(classes <= 20)
                .setHeatMapDecimalValueFormatter(
                        value -> value == 0 ? "" : String.format(java.util.Locale.ROOT, "%.1f", value));
        List<Number[]> cells = new ArrayList<>();
        for (int actual = 0; actual < classes; actual++) {
            for (int predicted = 0; predicted < classes; predicted++) {
                double share = 100.0 * matrix.count(actual, predicted) / Math.max(1, matrix.actual(actual));
                // the first true class belongs on top
                cells.add(new Number[] {predicted, classes - 1 - actual, share});
            }
        }
        chart.addSeries("percent", names, names.reversed(), cells);
        AtomicFiles.write(file, out -> out.write(Pictures.png(BitmapEncoder.getBufferedImage(chart))));
    }
}
