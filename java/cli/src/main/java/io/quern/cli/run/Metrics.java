package io.quern.cli.run;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The figures of one epoch, a line of metrics.csv and metrics.jsonl. What does not apply is NaN: empty there.
 *
 * @param epoch from 1
 * @param loss mean over the training batches, as they were trained
 * @param accuracy share 0..1 of training samples that were right, as they were trained
 * @param validationLoss NaN without a validation part
 * @param validationAccuracy NaN without a validation part
 * @param rate learning rate of the last step
 * @param imagesPerSecond training samples per second
 * @param seconds time of the training steps, without validation
 * @param joules energy of the device meanwhile; NaN where it does not count it
 */
public record Metrics(
        int epoch,
        double loss,
        double accuracy,
        double validationLoss,
        double validationAccuracy,
        double rate,
        double imagesPerSecond,
        double seconds,
        double joules) {

    /** The header line of metrics.csv. */
    public static final String HEADER =
            "epoch,loss,accuracy,validation_loss,validation_accuracy,learning_rate,images_per_second,seconds,joules";

    /** A line of metrics.csv. */
    public String csv() {
        StringBuilder line = new StringBuilder(Integer.toString(epoch));
        asMap().values().stream().skip(1).forEach(value -> {
            double number = (Double) value;
            line.append(',').append(Double.isNaN(number) ? "" : String.format(Locale.ROOT, "%.7g", number));
        });
        return line.toString();
    }

    /** A line of metrics.jsonl. */
    public String json() {
        return Json.line(asMap());
    }

    private Map<String, Object> asMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("epoch", epoch);
        map.put("loss", loss);
        map.put("accuracy", accuracy);
        map.put("validation_loss", validationLoss);
        map.put("validation_accuracy", validationAccuracy);
        map.put("learning_rate", rate);
        map.put("images_per_second", imagesPerSecond);
        map.put("seconds", seconds);
        map.put("joules", joules);
        return map;
    }

    static Metrics of(Map<?, ?> map) {
        return new Metrics(
                (int) number(map, "epoch"),
                number(map, "loss"),
                number(map, "accuracy"),
                number(map, "validation_loss"),
                number(map, "validation_accuracy"),
                number(map, "learning_rate"),
                number(map, "images_per_second"),
                number(map, "seconds"),
                number(map, "joules"));
    }

    private static double number(Map<?, ?> map, String name) {
        return map.get(name) instanceof Number number ? number.doubleValue() : Double.NaN;
    }
}
