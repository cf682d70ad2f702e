package io.quern.bench.duel;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One row of a table: a benchmark class and one value for each parameter but {@code impl}, which lists the contenders.
 *
 * @param bench simple name of the class
 * @param impl empty for a benchmark's own list
 */
public record Row(String bench, Map<String, String> parameters, List<String> impl) {
    /** {@code MatmulBench shape=64x64x64,128x128x128 layout=nn,nt impl=quern,mkl}: one row per combination. */
    public static List<Row> expand(String line) {
        String[] words = line.strip().split("\\s+");
        List<String> impl = List.of();
        List<Map<String, String>> combinations = new ArrayList<>(List.of(Map.of()));
        for (int i = 1; i < words.length; i++) {
            int equals = words[i].indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException(
                        "'" + words[i] + "' in '" + line + "', expected name=value,value after the benchmark's name");
            }
            String name = words[i].substring(0, equals);
            List<String> values = List.of(words[i].substring(equals + 1).split(","));
            if (name.equals("impl")) {
                impl = values;
                continue;
            }
            List<Map<String, String>> longer = new ArrayList<>();
            for (Map<String, String> combination : combinations) {
                for (String value : values) {
                    Map<String, String> next = new LinkedHashMap<>(combination);
                    next.put(name, value);
                    longer.add(next);
                }
            }
            combinations = longer;
        }
        List<String> contenders = impl;
        return combinations.stream()
                .map(combination -> new Row(words[0], combination, contenders))
                .toList();
    }

    Row without(String contender) {
        return new Row(
                bench,
                parameters,
                impl.stream().filter(name -> !name.equals(contender)).toList());
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(bench);
        parameters.forEach(
                (name, value) -> text.append(' ').append(name).append('=').append(value));
        if (!impl.isEmpty()) {
            text.append(" impl=").append(String.join(",", impl));
        }
        return text.toString();
    }
}
