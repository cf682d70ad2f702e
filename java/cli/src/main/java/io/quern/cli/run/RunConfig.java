package io.quern.cli.run;

import io.quern.data.Normalization;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.QuernException;
import io.quern.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What config.json holds: all that is needed to use the weights and to continue the run.
 *
 * @param model the model string, which ModelParser reads
 * @param inputShape of one sample
 * @param classNames in the order of the outputs
 * @param normalization what the samples went through
 * @param facts of the data that the run learned from
 * @param options the options of {@code quern train}, defaults included, for example {@code --epochs=5}
 * @param environment versions, backend and machine, for people
 */
public record RunConfig(
        String model,
        Shape inputShape,
        List<String> classNames,
        Normalization normalization,
        DataFacts facts,
        Map<String, String> options,
        Map<String, String> environment) {
    private static final String FORMAT = "quern-run-1";

    /** The data set as the run's {@code --data} named it. */
    public String data() {
        return options.getOrDefault("--data", "");
    }

    public void write(Path file) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("format", FORMAT);
        map.put("model", model);
        map.put("input_shape", dimensions(inputShape));
        map.put("class_names", classNames);
        map.put("mean", normalization.mean());
        map.put("deviation", normalization.deviation());
        map.put("data", facts.toMap());
        map.put("options", options);
        map.put("environment", environment);
        TextFile.write(file, Json.pretty(map));
    }

    private static List<Long> dimensions(Shape shape) {
        return java.util.stream.IntStream.range(0, shape.rank())
                .mapToObj(shape::size)
                .toList();
    }

    public static RunConfig read(Path file) {
        try {
            Map<?, ?> map = (Map<?, ?>) Json.read(Files.readString(file));
            if (!FORMAT.equals(map.get("format"))) {
                throw new QuernException(
                        file + " is not the config.json of a run of this version: format is " + map.get("format")
                                + ", expected " + FORMAT + "; train again, or use the version that made it");
            }
            List<String> classNames = ((List<?>) required(map, "class_names"))
                    .stream().map(Object::toString).toList();
            return new RunConfig(
                    (String) required(map, "model"),
                    Shape.of(numbers(map, "input_shape").stream()
                            .mapToLong(Number::longValue)
                            .toArray()),
                    classNames,
                    new Normalization(doubles(map, "mean"), doubles(map, "deviation")),
                    DataFacts.of((Map<?, ?>) map.get("data"), classNames),
                    texts(map, "options"),
                    texts(map, "environment"));
        } catch (IOException | ClassCastException | ArgumentException e) {
            throw new QuernException(
                    file + " is damaged: " + e.getMessage() + "; restore it from a copy, or train again", e);
        }
    }

    static Object required(Map<?, ?> map, String name) throws IOException {
        Object value = map.get(name);
        if (value == null) {
            throw new IOException("the entry \"" + name + "\" is missing");
        }
        return value;
    }

    private static List<Number> numbers(Map<?, ?> map, String name) throws IOException {
        return ((List<?>) required(map, name)).stream().map(Number.class::cast).toList();
    }

    private static List<Double> doubles(Map<?, ?> map, String name) throws IOException {
        return numbers(map, name).stream().map(Number::doubleValue).toList();
    }

    private static Map<String, String> texts(Map<?, ?> map, String name) throws IOException {
        Map<String, String> texts = new LinkedHashMap<>();
        ((Map<?, ?>) required(map, name)).forEach((key, value) -> texts.put((String) key, (String) value));
        return texts;
    }
}
