package io.quern.bench.report;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The raw results of JMH's JSON files: all measured values of each combination of parameters, over all rounds. */
final class Measurements {
    private final Map<Map<String, String>, List<Double>> values = new LinkedHashMap<>();

    /** Adds one file; values of a combination that is already there are appended. */
    void read(Path json) throws IOException {
        try (JsonParser parser = new JsonFactory().createParser(json.toFile())) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.START_OBJECT) {
                readRun(parser);
            }
        }
    }

    private void readRun(JsonParser parser) throws IOException {
        Map<String, String> parameters = new TreeMap<>();
        List<Double> raw = new ArrayList<>();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String field = parser.currentName();
            parser.nextToken();
            switch (field) {
                case "benchmark" -> parameters.put("benchmark", parser.getText());
                case "params" -> {
                    while (parser.nextToken() == JsonToken.FIELD_NAME) {
                        String name = parser.currentName();
                        parser.nextToken();
                        parameters.put(name, parser.getText());
                    }
                }
                case "primaryMetric" -> readMetric(parser, raw);
                default -> parser.skipChildren();
            }
        }
        parameters.remove("type", "f32"); // as rows were before there was a choice
        values.computeIfAbsent(parameters, key -> new ArrayList<>()).addAll(raw);
    }

    private static void readMetric(JsonParser parser, List<Double> raw) throws IOException {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String field = parser.currentName();
            JsonToken token = parser.nextToken();
            if (!field.equals("rawData")) {
                parser.skipChildren();
                continue;
            }
            int depth = token == JsonToken.START_ARRAY ? 1 : 0;
            while (depth > 0) {
                switch (parser.nextToken()) {
                    case START_ARRAY -> depth++;
                    case END_ARRAY -> depth--;
                    default -> raw.add(parser.getDoubleValue());
                }
            }
        }
    }

    /** Those of one benchmark class. */
    Measurements of(String bench) {
        Measurements own = new Measurements();
        values.forEach((key, list) -> {
            if (key.get("benchmark").contains("." + bench + ".")) {
                own.values.put(key, list);
            }
        });
        return own;
    }

    /** All combinations of parameters in the order of the files. */
    Iterable<Map<String, String>> combinations() {
        return values.keySet();
    }

    /** The combinations of parameters other than the implementation, in the order of the files. */
    Set<Map<String, String>> rows() {
        Set<Map<String, String>> rows = new LinkedHashSet<>();
        values.keySet().forEach(combination -> rows.add(row(combination)));
        return rows;
    }

    static Map<String, String> row(Map<String, String> combination) {
        Map<String, String> row = new TreeMap<>(combination);
        row.remove("impl");
        return row;
    }

    /** In the order of the files; Quern where a benchmark has no other. */
    Set<String> implementations() {
        Set<String> implementations = new LinkedHashSet<>();
        values.keySet().forEach(combination -> implementations.add(combination.getOrDefault("impl", "quern")));
        return implementations;
    }

    Stream<Map<String, String>> stream() {
        return values.keySet().stream();
    }

    boolean isEmpty() {
        return values.isEmpty();
    }

    boolean has(Map<String, String> parameters) {
        return values.containsKey(parameters);
    }

    /** Median time per call in the benchmark's unit. */
    double median(Map<String, String> parameters) {
        return quantile(parameters, 0.5);
    }

    /** Half the distance of the quartiles, relative to the median. */
    double spread(Map<String, String> parameters) {
        return (quantile(parameters, 0.75) - quantile(parameters, 0.25)) / 2 / median(parameters);
    }

    private double quantile(Map<String, String> parameters, double q) {
        double[] sorted =
                values.get(parameters).stream().mapToDouble(d -> d).sorted().toArray();
        double position = q * (sorted.length - 1);
        int below = (int) position;
        int above = Math.min(sorted.length - 1, below + 1);
        return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
    }

    @Override
    public String toString() {
        return Arrays.toString(values.keySet().toArray());
    }
}
