package io.quern.bench.duel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The rows that a command line names: {@code @SUITE}, or {@code BENCH name=value,... [BENCH ...]}.
 *
 * <p>A suite file has such a line per block, or {@code @FILE} for the blocks of another suite beside it; empty lines and what
 * follows a # do not count. A line {@code # env: NAME=VALUE ...} is for the whole file: the processes that measure its rows, also
 * those of suites that it takes in, have these variables in their environment. What such a suite sets itself counts more.
 */
public final class Selection {
    /** The rows of a line, and what the processes that measure them have in their environment beside the usual. */
    public record Block(List<Row> rows, Map<String, String> environment) {}

    private static final Pattern ENVIRONMENT = Pattern.compile("#\\s*env:(.*)");
    private static final Pattern VARIABLE = Pattern.compile("([A-Za-z_][A-Za-z0-9_]*)=(.*)");

    private final List<Block> blocks = new ArrayList<>();
    private final StringBuilder line = new StringBuilder();

    /** One word of a command line that is no option. */
    public void add(String word) throws IOException {
        if (word.startsWith("@")) {
            finish();
            blocks.addAll(suite(Path.of(word.substring(1))));
        } else if (word.contains("=")) {
            line.append(' ').append(word);
        } else {
            finish();
            line.append(word);
        }
    }

    /** All of them, in their order; at least one. */
    public List<Block> blocks() {
        finish();
        if (blocks.isEmpty()) {
            throw new IllegalArgumentException("nothing to measure: name a benchmark or @a suite");
        }
        return List.copyOf(blocks);
    }

    private void finish() {
        if (!line.isEmpty()) {
            blocks.add(new Block(Row.expand(line.toString()), Map.of()));
            line.setLength(0);
        }
    }

    /** The blocks of a suite, with those of the suites that it names. */
    static List<Block> suite(Path file) throws IOException {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException("there is no suite " + file, e);
        }
        Map<String, String> environment = new LinkedHashMap<>();
        List<Block> inside = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String block = lines.get(i).replaceFirst("#.*", "").strip();
            Matcher variables = ENVIRONMENT.matcher(lines.get(i));
            if (variables.find()) {
                String where = file + ", line " + (i + 1) + ": ";
                if (!block.isEmpty()) {
                    throw new IllegalArgumentException(where
                            + "'# env:' stands behind a row, but is for all of the file: give it a line of its own");
                }
                read(variables.group(1).strip(), where, environment);
            } else if (block.startsWith("@")) {
                inside.addAll(suite(file.resolveSibling(block.substring(1))));
            } else if (!block.isEmpty()) {
                inside.add(new Block(Row.expand(block), Map.of()));
            }
        }
        return inside.stream().map(block -> with(environment, block)).toList();
    }

    private static Block with(Map<String, String> environment, Block block) {
        Map<String, String> both = new LinkedHashMap<>(environment);
        both.putAll(block.environment);
        return new Block(block.rows, both);
    }

    private static void read(String variables, String where, Map<String, String> environment) {
        if (variables.isEmpty()) {
            throw new IllegalArgumentException(where + "'# env:' without NAME=VALUE");
        }
        for (String variable : variables.split("\\s+")) {
            Matcher parts = VARIABLE.matcher(variable);
            if (!parts.matches()) {
                throw new IllegalArgumentException(where + "'" + variable + "' after '# env:', expected "
                        + (variable.indexOf('=') < 0
                                ? "NAME=VALUE, with no blanks in it"
                                : "a NAME of letters, digits and _ that begins with no digit, before the ="));
            }
            if (environment.put(parts.group(1), parts.group(2)) != null) {
                throw new IllegalArgumentException(where + parts.group(1) + " is set a second time");
            }
        }
    }
}
