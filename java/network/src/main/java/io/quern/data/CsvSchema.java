package io.quern.data;

import java.util.ArrayList;
import java.util.List;

/**
 * What a table's columns mean, learned from the training file and applied to others.
 *
 * @param columns the inputs, in file order, without the target
 * @param target name of the column of classes
 * @param targetIndex its place in the file
 * @param classNames the classes, sorted
 */
public record CsvSchema(List<Column> columns, String target, int targetIndex, List<String> classNames) {

    /**
     * An input column: one feature when numeric, one per category (1 or 0) otherwise.
     *
     * @param categories sorted; empty for a numeric column
     */
    public record Column(String name, List<String> categories) {
        public Column {
            categories = List.copyOf(categories);
        }

        public boolean isNumeric() {
            return categories.isEmpty();
        }

        /** Number of features. */
        public int width() {
            return isNumeric() ? 1 : categories.size();
        }
    }

    public CsvSchema {
        columns = List.copyOf(columns);
        classNames = List.copyOf(classNames);
    }

    /** That of the table behind the samples; null when they come from none. */
    public static CsvSchema of(Dataset data) {
        return switch (data) {
            case CsvTable table -> table.schema();
            case Subset subset -> of(subset.source());
            case Normalized normalized -> of(normalized.source());
            default -> null;
        };
    }

    /** Number of features of a sample. */
    public int features() {
        return columns.stream().mapToInt(Column::width).sum();
    }

    /** A name for every feature: {@code age}, {@code job=clerk}. */
    public List<String> featureNames() {
        List<String> names = new ArrayList<>();
        for (Column column : columns) {
            if (column.isNumeric()) {
                names.add(column.name());
            }
            column.categories().forEach(category -> names.add(column.name() + "=" + category));
        }
        return names;
    }
}
