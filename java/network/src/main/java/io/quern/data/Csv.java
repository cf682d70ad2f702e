package io.quern.data;

import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Tables for classification. A column whose values are all numbers is numeric, any other is categorical and read one-hot;
 * the target's values are the classes.
 *
 * <p>A missing value (empty, {@code ?}, in number columns also NA, N/A, NaN, null) is an error that names line and column,
 * or drops its row when asked. Targets that are quantities (regression) are refused.
 */
public final class Csv {
    /** Numbers for each value that is none, from which on that value is taken for a mistake. */
    private static final int MOSTLY = 9;

    /** Distinct values of a column above which it is an identifier or a text rather than a category. */
    static final int MAX_CATEGORIES = 1000;

    /** Distinct numbers of a target above which it is a quantity. */
    static final int MAX_NUMERIC_CLASSES = 100;

    /** Index of the target in rows that have none. */
    private static final int NO_TARGET = -1;

    /** Numbers in numeric order, before words in alphabetical order. */
    private static final Comparator<String> NATURAL = Comparator.comparingDouble(
                    (String value) -> CsvText.isNumber(value) ? Double.parseDouble(value) : Double.POSITIVE_INFINITY)
            .thenComparing(Comparator.naturalOrder());

    private Csv() {}

    /** Reads a file and learns its schema. */
    public static CsvTable read(Path path, CsvOptions options) {
        return learn(CsvText.read(path, options, null), options);
    }

    /** Reads a file of the same columns, categories and classes as the one that the schema was learned from. */
    public static CsvTable read(Path path, CsvOptions options, CsvSchema schema) {
        return table(CsvText.read(path, options, List.of(names(schema))), options, schema);
    }

    /**
     * The inputs of a file of the schema's columns, in order to predict their classes: the target may be missing, and is not
     * looked at where it is there. All labels are 0.
     */
    public static CsvTable inputs(Path path, CsvOptions options, CsvSchema schema) {
        List<String> all = names(schema);
        List<String> wanted =
                schema.columns().stream().map(CsvSchema.Column::name).toList();
        CsvText text = CsvText.read(path, options, List.of(all, wanted));
        if (text.names().equals(all)) {
            text = text.without(schema.targetIndex());
        }
        requireColumns(text, wanted);
        List<Map<String, Integer>> codes = schema.columns().stream()
                .map(column -> codes(column.categories()))
                .toList();
        float[][] rows = new float[text.rows().size()][];
        for (int row = 0; row < rows.length; row++) {
            rows[row] = row(text, row, codes, NO_TARGET, CsvOptions.Missing.ERROR);
        }
        return new CsvTable(schema, rows, new int[rows.length], 0);
    }

    private static void requireColumns(CsvText text, List<String> expected) {
        if (!text.names().equals(expected)) {
            throw new FormatException(
                    text.file(),
                    "",
                    "columns " + text.names() + " differ from those of the training file, " + expected,
                    "use files of the same columns");
        }
    }

    static CsvTable parse(String file, InputStream in, CsvOptions options) {
        return learn(CsvText.parse(file, in, options, null), options);
    }

    private static CsvTable learn(CsvText text, CsvOptions options) {
        int target = options.target() == null ? text.names().size() - 1 : text.column(options.target());
        Set<Integer> forced = new HashSet<>();
        options.categorical().forEach(name -> forced.add(text.column(name)));
        List<CsvSchema.Column> columns = new ArrayList<>();
        for (int column = 0; column < text.names().size(); column++) {
            if (column != target) {
                boolean numeric = !forced.contains(column) && isNumeric(text, column);
                List<String> categories = numeric ? List.of() : distinct(text, column);
                columns.add(new CsvSchema.Column(text.names().get(column), categories));
            }
        }
        String name = text.names().get(target);
        return table(text, options, new CsvSchema(columns, name, target, classes(text, target)));
    }

    /** All values are numbers; a few others among many numbers are a mistake, not categories. */
    private static boolean isNumeric(CsvText text, int column) {
        int numbers = 0;
        int others = 0;
        int odd = 0;
        for (int row = 0; row < text.rows().size(); row++) {
            String value = text.rows().get(row)[column];
            if (CsvText.isNumber(value)) {
                numbers++;
            } else if (!CsvText.isMissingNumber(value)) {
                odd = others++ == 0 ? row : odd;
            }
        }
        if (others > 0 && numbers >= MOSTLY * others) {
            throw text.error(
                    odd,
                    column,
                    "'" + brief(text.rows().get(odd)[column]) + "' among " + numbers + " numbers",
                    "repair the value, or name the column in categorical= if its numbers are names");
        }
        return numbers > 0 && others == 0;
    }

    private static List<String> distinct(CsvText text, int column) {
        Set<String> values = new TreeSet<>(NATURAL);
        for (int row = 0; row < text.rows().size(); row++) {
            String value = text.rows().get(row)[column];
            if (!CsvText.isMissing(value)) {
                values.add(value);
            }
            if (values.size() > MAX_CATEGORIES) {
                throw text.error(
                        row,
                        column,
                        "more than " + MAX_CATEGORIES + " different values such as '" + brief(value)
                                + "': an identifier, a text, or numbers with something else among them",
                        "remove or repair the column");
            }
        }
        if (values.isEmpty()) {
            throw text.error(0, column, "no line has a value in this column", "remove the column");
        }
        return List.copyOf(values);
    }

    private static List<String> classes(CsvText text, int target) {
        boolean numeric = isNumeric(text, target);
        if (numeric) {
            Set<String> numbers = new HashSet<>();
            for (int row = 0; row < text.rows().size(); row++) {
                String value = text.rows().get(row)[target];
                if (CsvText.isMissingNumber(value)) {
                    continue;
                }
                numbers.add(value);
                if (Double.parseDouble(value) % 1 != 0 || numbers.size() > MAX_NUMERIC_CLASSES) {
                    throw text.error(
                            row,
                            target,
                            "the target looks like a quantity ('" + brief(value)
                                    + "'), and only classes can be learned, not regression",
                            "name a column of classes as the target, or put the numbers into a few ranges");
                }
            }
        }
        List<String> classes = distinct(text, target).stream()
                .filter(name -> !numeric || !CsvText.isMissingNumber(name))
                .toList();
        if (classes.size() < 2) {
            throw text.error(
                    0, target, "every line has the class '" + brief(classes.getFirst()) + "'", "name another target");
        }
        return classes;
    }

    private static String brief(String value) {
        return value.length() <= 40 ? value : value.substring(0, 40) + "...";
    }

    private static CsvTable table(CsvText text, CsvOptions options, CsvSchema schema) {
        requireColumns(text, names(schema));
        List<Map<String, Integer>> codes = new ArrayList<>();
        schema.columns().forEach(column -> codes.add(codes(column.categories())));
        codes.add(schema.targetIndex(), codes(schema.classNames()));
        List<float[]> rows = new ArrayList<>();
        List<Integer> labels = new ArrayList<>();
        for (int row = 0; row < text.rows().size(); row++) {
            float[] values = row(text, row, codes, schema.targetIndex(), options.missing());
            if (values != null) {
                labels.add((int) values[values.length - 1]);
                rows.add(values);
            }
        }
        if (rows.isEmpty()) {
            throw new FormatException(text.file(), "", "no line is complete", "fill in the missing values");
        }
        int[] classes = labels.stream().mapToInt(Integer::intValue).toArray();
        return new CsvTable(
                schema, rows.toArray(float[][]::new), classes, text.rows().size() - rows.size());
    }

    /** All columns of the file, the target at its place. */
    private static List<String> names(CsvSchema schema) {
        List<String> names = new ArrayList<>(
                schema.columns().stream().map(CsvSchema.Column::name).toList());
        names.add(schema.targetIndex(), schema.target());
        return names;
    }

    private static Map<String, Integer> codes(List<String> values) {
        Map<String, Integer> codes = new HashMap<>();
        values.forEach(value -> codes.put(value, codes.size()));
        return codes;
    }

    /** The inputs and then the label of a row; null when a value is missing and such rows are dropped. */
    private static float[] row(
            CsvText text, int row, List<Map<String, Integer>> codes, int target, CsvOptions.Missing missing) {
        String[] fields = text.rows().get(row);
        float[] values = new float[fields.length];
        int next = 0;
        for (int column = 0; column < fields.length; column++) {
            boolean numeric = codes.get(column).isEmpty();
            String field = fields[column];
            // NA may be the name of a category; where it is none, it is a missing one
            if (CsvText.isMissing(field)
                    || CsvText.isMissingNumber(field) && !codes.get(column).containsKey(field)) {
                if (missing == CsvOptions.Missing.DROP_ROW) {
                    return null;
                }
                throw text.error(
                        row,
                        column,
                        "missing value '" + field + "'",
                        target == NO_TARGET ? "fill it in" : "fill it in, or say missing=drop to leave such lines out");
            }
            float value = numeric ? number(text, row, column, field) : code(text, row, column, codes.get(column));
            values[column == target ? fields.length - 1 : next++] = value;
        }
        return values;
    }

    private static float number(CsvText text, int row, int column, String field) {
        if (!CsvText.isNumber(field)) {
            throw text.error(
                    row,
                    column,
                    "'" + brief(field) + "' is not a number",
                    "the column is numeric in the training file");
        }
        return (float) Double.parseDouble(field);
    }

    private static float code(CsvText text, int row, int column, Map<String, Integer> codes) {
        String field = text.rows().get(row)[column];
        Integer code = codes.get(field);
        if (code == null) {
            throw text.error(
                    row,
                    column,
                    "'" + brief(field) + "' does not occur in the training file",
                    "correct it, or put both files together and split them anew");
        }
        return code;
    }
}
