package io.quern.data;

import io.quern.tensor.ArgumentException;
import java.util.List;

/**
 * How a CSV file is understood.
 *
 * @param header whether the first line names the columns; without names they are {@code c0, c1, ...}
 * @param target the column of classes: a name, or an index from 0, or from -1 backwards; null for the last column
 * @param separator between fields
 * @param missing what happens to lines with a missing value
 * @param categorical columns that are categories although they hold numbers, such as codes; by name or index
 */
public record CsvOptions(Header header, String target, char separator, Missing missing, List<String> categorical) {
    public static final CsvOptions DEFAULT = new CsvOptions(Header.AUTO, null, ',', Missing.ERROR, List.of());

    /** Whether the first line names the columns. */
    public enum Header {
        /** It does when it holds no number and the second line does; an error when neither holds a number. */
        AUTO,
        PRESENT,
        ABSENT
    }

    /** What happens to lines with a missing value. */
    public enum Missing {
        ERROR,
        DROP_ROW
    }

    public CsvOptions {
        categorical = List.copyOf(categorical);
        if (separator == '"' || separator == '\n' || separator == '\r' || separator == '.') {
            throw new ArgumentException("'" + separator + "' cannot separate fields; use for example , or ;");
        }
    }

    public CsvOptions withHeader(Header newHeader) {
        return new CsvOptions(newHeader, target, separator, missing, categorical);
    }

    public CsvOptions withTarget(String newTarget) {
        return new CsvOptions(header, newTarget, separator, missing, categorical);
    }

    public CsvOptions withSeparator(char newSeparator) {
        return new CsvOptions(header, target, newSeparator, missing, categorical);
    }

    public CsvOptions withMissing(Missing newMissing) {
        return new CsvOptions(header, target, separator, newMissing, categorical);
    }

    public CsvOptions withCategorical(String... columns) {
        return new CsvOptions(header, target, separator, missing, List.of(columns));
    }
}
