package io.quern.nn;

import java.util.ArrayList;
import java.util.List;

/** Writes a layer as text: a name, positional values, and the options that differ from their default. */
final class Description {
    private final String name;
    private final List<String> arguments = new ArrayList<>();

    private Description(String name) {
        this.name = name;
    }

    static Description of(String name, Object... positional) {
        Description description = new Description(name);
        for (Object value : positional) {
            description.arguments.add(value.toString());
        }
        return description;
    }

    Description option(String key, Object value, Object byDefault) {
        if (!value.equals(byDefault)) {
            arguments.add(key + "=" + value);
        }
        return this;
    }

    Description option(String key, Initializer value) {
        if (value != null) {
            arguments.add(key + "=" + value.label());
        }
        return this;
    }

    @Override
    public String toString() {
        return arguments.isEmpty() ? name : name + "(" + String.join(",", arguments) + ")";
    }
}
