package io.quern.nn;

import io.quern.tensor.ArgumentException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The values and options of one layer in a model string; knows which of them were asked for. */
final class LayerArguments {
    private final String layer;
    private final List<String> values = new ArrayList<>();
    private final Map<String, String> options = new LinkedHashMap<>();
    private final Set<String> asked = new LinkedHashSet<>();
    private int valuesAsked;

    LayerArguments(String layer, String text) {
        this.layer = layer;
        if (text.isBlank()) {
            return;
        }
        for (String part : text.split(",", -1)) {
            int equals = part.indexOf('=');
            if (part.isBlank()) {
                throw new ArgumentException(layer + " has an empty value");
            } else if (equals < 0) {
                values.add(part.strip());
            } else if (options.put(
                            part.substring(0, equals).strip(),
                            part.substring(equals + 1).strip())
                    != null) {
                throw new ArgumentException(
                        layer + " gives " + part.substring(0, equals).strip() + " twice");
            }
        }
    }

    int integer(int index, String name) {
        return parseInteger(name, value(index, name));
    }

    double number(int index, String name) {
        return parseNumber(name, value(index, name));
    }

    int integer(String key, int byDefault) {
        String text = option(key);
        return text == null ? byDefault : parseInteger(key, text);
    }

    double number(String key, double byDefault) {
        String text = option(key);
        return text == null ? byDefault : parseNumber(key, text);
    }

    boolean flag(String key, boolean byDefault) {
        String text = option(key);
        if (text != null && !text.equals("true") && !text.equals("false")) {
            throw new ArgumentException(layer + ": " + key + " is '" + text + "', expected true or false");
        }
        return text == null ? byDefault : text.equals("true");
    }

    int padding() {
        String text = option("padding");
        if (text == null) {
            return 0;
        }
        int zeros = text.equals("same") ? 0 : parseInteger("padding", text);
        if (zeros < 0) {
            throw new ArgumentException(layer + ": padding is '" + text + "', expected a number from 0 on, or same");
        }
        return text.equals("same") ? Convolution.SAME : zeros;
    }

    /** Null when none is given. */
    Initializer initializer() {
        String text = option("init");
        if (text == null) {
            return null;
        }
        return Arrays.stream(Initializer.values())
                .filter(initializer -> initializer.label().equals(text))
                .findFirst()
                .orElseThrow(() -> new ArgumentException(layer + ": init is '" + text + "', known are "
                        + Arrays.stream(Initializer.values())
                                .map(Initializer::label)
                                .toList()));
    }

    private String value(int index, String name) {
        if (index >= values.size()) {
            throw new ArgumentException(layer + " needs its " + name + ", as in " + layer + "(" + name + ",...)");
        }
        valuesAsked = Math.max(valuesAsked, index + 1);
        return values.get(index);
    }

    private String option(String key) {
        asked.add(key);
        return options.get(key);
    }

    private int parseInteger(String name, String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new ArgumentException(layer + ": " + name + " is '" + text + "', expected a whole number");
        }
    }

    private double parseNumber(String name, String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw new ArgumentException(layer + ": " + name + " is '" + text + "', expected a number");
        }
    }

    /** Refuses what the layer did not ask for. */
    void requireAllUsed() {
        if (values.size() > valuesAsked) {
            throw new ArgumentException(
                    layer + " takes " + valuesAsked + " values without a name, not " + values.size());
        }
        for (String key : options.keySet()) {
            if (!asked.contains(key)) {
                throw new ArgumentException(layer + " has no option '" + key + "'"
                        + (asked.isEmpty() ? "" : "; it has " + String.join(", ", asked)));
            }
        }
    }
}
