package io.quern.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The options of a run with no gap: what was given, and the defaults of its data and model for the rest.
 *
 * @param options all set
 * @param texts the same by name, as config.json keeps them
 */
record Recipe(TrainOptions options, Map<String, String> texts) {
    /** What {@link TrainCommand} calls its options of this kind. */
    static final String MIXIN = "recipe";

    /** What the user gave, by name and in one way of writing, of the options that make a recipe. */
    static Map<String, String> given(CommandLine.ParseResult parsed) {
        // the specification that picocli has already made: to make it anew takes its time at each start
        List<String> names = parsed.commandSpec().mixins().get(MIXIN).options().stream()
                .map(OptionSpec::longestName)
                .toList();
        Map<String, String> given = new LinkedHashMap<>();
        for (OptionSpec option : parsed.matchedOptions()) {
            if (names.contains(option.longestName())) {
                given.put(option.longestName(), String.valueOf(option.<Object>getValue()));
            }
        }
        return given;
    }

    /** A new run. */
    static Recipe of(Map<String, String> given) {
        Map<String, String> all = new LinkedHashMap<>(Defaults.of(given));
        all.putAll(given);
        if (all.get("--model").equals("default")) {
            all.put("--model", Defaults.of(Map.of("--data", all.get("--data"))).get("--model"));
        }
        return parse(all);
    }

    /** A run that is continued; the user may repeat its options but not change them. */
    static Recipe resumed(Map<String, String> stored, Map<String, String> given) {
        for (Map.Entry<String, String> option : given.entrySet()) {
            String before = stored.getOrDefault(option.getKey(), "unset");
            if (!before.equals(option.getValue())) {
                throw new UsageException(option.getKey() + " " + option.getValue() + " contradicts the run, which has "
                        + before + "; leave it out to continue, or start another run with another --out");
            }
        }
        return parse(stored);
    }

    private static Recipe parse(Map<String, String> texts) {
        TrainOptions options = new TrainOptions();
        CommandLine line = new CommandLine(options);
        try {
            line.parseArgs(texts.entrySet().stream()
                    .map(entry -> entry.getKey() + "=" + entry.getValue())
                    .toArray(String[]::new));
        } catch (CommandLine.ParameterException e) {
            throw new UsageException("the options of the run are damaged: " + e.getMessage(), e);
        }
        OptionChecks.check(options);
        return new Recipe(options, canonical(line, texts));
    }

    /** One way to write each value, so that 0.010 and 0.01 are the same. */
    private static Map<String, String> canonical(CommandLine line, Map<String, String> texts) {
        Map<String, String> values = line.getParseResult().matchedOptions().stream()
                .collect(
                        Collectors.toMap(OptionSpec::longestName, option -> String.valueOf(option.<Object>getValue())));
        Map<String, String> ordered = new LinkedHashMap<>();
        texts.keySet().forEach(name -> ordered.put(name, values.get(name)));
        return ordered;
    }
}
