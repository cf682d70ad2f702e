package io.quern.data;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import io.quern.tensor.ArgumentException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The fields of a CSV file (RFC 4180, UTF-8, optional byte order mark), stripped of blanks around them; every line has as
 * many fields as the first.
 *
 * @param names the header, or c0, c1, ...
 * @param rows the fields of each line
 * @param lines line number of each row, from 1
 */
record CsvText(String file, List<String> names, List<String[]> rows, List<Integer> lines) {
    static final long MAX_BYTES = 1L << 30;
    static final int MAX_FIELD = 1 << 20;
    static final int MAX_COLUMNS = 10_000;

    /** @param expected headers that fit the training file, null when this is the training file */
    static CsvText read(Path path, CsvOptions options, List<List<String>> expected) {
        Input.requireFile(path);
        try (InputStream in = Files.newInputStream(path)) {
            long length = Files.size(path);
            if (length > MAX_BYTES) {
                throw new ArgumentException(path + " has " + length + " bytes, at most " + MAX_BYTES
                        + " are read; use a part of the lines");
            }
            return parse(path.toString(), in, options, expected);
        } catch (IOException e) {
            throw Input.failure(path, e);
        }
    }

    static CsvText parse(String file, InputStream in, CsvOptions options, List<List<String>> expected) {
        List<String[]> rows = new ArrayList<>();
        List<Integer> lines = new ArrayList<>();
        try {
            BufferedReader text =
                    new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()), 1 << 16);
            text.mark(1);
            if (text.read() != '\ufeff') {
                text.reset();
            }
            CsvReader<CsvRecord> reader = CsvReader.builder()
                    .fieldSeparator(options.separator())
                    .maxBufferSize(MAX_FIELD)
                    .trimWhitespacesAroundQuotes(true)
                    .allowUnclosedQuote(false)
                    .extraFieldStrategy(FieldMismatchStrategy.IGNORE)
                    .missingFieldStrategy(FieldMismatchStrategy.IGNORE)
                    .ofCsvRecord(text);
            for (CsvRecord record : reader) {
                lines.add(Math.toIntExact(record.getStartingLineNumber()));
                rows.add(fields(file, record, rows.isEmpty() ? record.getFieldCount() : rows.getFirst().length));
            }
        } catch (CsvParseException e) {
            throw malformed(file, rows.size(), e.getMessage(), "check the quotes and the length of the fields", e);
        } catch (UncheckedIOException e) {
            throw failure(file, rows.size(), e.getCause());
        } catch (IOException e) {
            throw failure(file, rows.size(), e);
        }
        return named(file, rows, lines, options, expected);
    }

    private static RuntimeException failure(String file, int rows, IOException e) {
        return e instanceof CharacterCodingException
                ? malformed(file, rows, "not UTF-8 text", "convert it, for example with iconv -t UTF-8", e)
                : Input.failure(file, e);
    }

    private static FormatException malformed(String file, int rows, String problem, String remedy, Exception cause) {
        return new FormatException(file, "after " + rows + " rows", problem, remedy, cause);
    }

    private static String[] fields(String file, CsvRecord record, int expected) {
        int count = record.getFieldCount();
        if (count > MAX_COLUMNS || count != expected) {
            throw new FormatException(
                    file,
                    "line " + record.getStartingLineNumber(),
                    count + " fields, expected " + (count != expected ? "" + expected : "at most " + MAX_COLUMNS),
                    "check the separator and the quotes of this line");
        }
        String[] fields = new String[count];
        for (int i = 0; i < count; i++) {
            fields[i] = record.getField(i).strip();
        }
        return fields;
    }

    private static CsvText named(
            String file, List<String[]> rows, List<Integer> lines, CsvOptions options, List<List<String>> expected) {
        int first = hasHeader(file, rows, options.header(), expected) ? 1 : 0;
        if (rows.size() == first) {
            throw new FormatException(file, "", "no lines of data", "check the file");
        }
        int width = rows.getFirst().length;
        if (width < 2) {
            throw new FormatException(
                    file,
                    "",
                    "only one column, a target and no input",
                    "check the separator, '" + options.separator() + "'");
        }
        List<String> names = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (int column = 0; column < width; column++) {
            String name = first == 1 ? rows.getFirst()[column] : "";
            name = name.isEmpty() ? "c" + column : name;
            if (!seen.add(name)) {
                throw new FormatException(
                        file, "line 1, column " + column, "a second column named '" + name + "'", "rename one of them");
            }
            names.add(name);
        }
        return new CsvText(file, names, rows.subList(first, rows.size()), lines.subList(first, lines.size()));
    }

    private static boolean hasHeader(
            String file, List<String[]> rows, CsvOptions.Header header, List<List<String>> expected) {
        if (header != CsvOptions.Header.AUTO || rows.isEmpty()) {
            return header == CsvOptions.Header.PRESENT && !rows.isEmpty();
        }
        if (expected != null) {
            return expected.contains(List.of(rows.getFirst()));
        }
        if (anyNumber(rows.getFirst())) {
            return false;
        }
        if (rows.size() > 1 && anyNumber(rows.get(1))) {
            return true;
        }
        throw new FormatException(
                file,
                "line 1",
                "cannot tell whether this line names the columns, as there are no numbers below it",
                "say header=true or header=false");
    }

    private static boolean anyNumber(String[] fields) {
        for (String field : fields) {
            if (isNumber(field)) {
                return true;
            }
        }
        return false;
    }

    /** A finite decimal number; not the hexadecimal, suffixed and infinite ones that Java also parses. */
    static boolean isNumber(String field) {
        if (field.isEmpty() || field.length() > 64) {
            return false;
        }
        boolean digit = false;
        for (int i = 0; i < field.length(); i++) {
            char c = field.charAt(i);
            digit |= c >= '0' && c <= '9';
            if ((c < '0' || c > '9') && "+-.eE".indexOf(c) < 0) {
                return false;
            }
        }
        try {
            return digit && Float.isFinite((float) Double.parseDouble(field));
        } catch (NumberFormatException e) {
            return false;
        }
    }

    /** What stands for a missing value in any column. */
    static boolean isMissing(String field) {
        return field.isEmpty() || field.equals("?");
    }

    /** What stands for a missing value in a column of numbers. */
    static boolean isMissingNumber(String field) {
        return isMissing(field) || List.of("na", "n/a", "nan", "null").contains(field.toLowerCase(Locale.ROOT));
    }

    /** A column by name, or index from 0, or from -1 backwards. */
    int column(String name) {
        int byName = names.indexOf(name);
        if (byName >= 0) {
            return byName;
        }
        if (name.matches("-?[0-9]{1,6}")) {
            int index = Integer.parseInt(name);
            int resolved = index < 0 ? index + names.size() : index;
            if (resolved >= 0 && resolved < names.size()) {
                return resolved;
            }
        }
        throw new FormatException(
                file,
                "",
                "no column '" + name + "'",
                "the columns are " + (names.size() <= 40 ? names : names.subList(0, 40) + " and more")
                        + ", or give an index from 0 to " + (names.size() - 1));
    }

    /** The same without one column. */
    CsvText without(int column) {
        List<String> kept = new ArrayList<>(names);
        kept.remove(column);
        List<String[]> shorter = rows.stream()
                .map(row -> {
                    String[] fields = new String[row.length - 1];
                    System.arraycopy(row, 0, fields, 0, column);
                    System.arraycopy(row, column + 1, fields, column, fields.length - column);
                    return fields;
                })
                .toList();
        return new CsvText(file, kept, shorter, lines);
    }

    FormatException error(int row, int column, String problem, String remedy) {
        return new FormatException(
                file, "line " + lines.get(row) + ", column '" + names.get(column) + "'", problem, remedy);
    }
}
