package io.quern.data;

import io.quern.tensor.ArgumentException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Names data in one line:
 *
 * <ul>
 *   <li>{@code strokes[,train=30000][,test=10000][,seed=1]}: {@link Strokes}
 *   <li>{@code mnist}, {@code cifar10}: {@link PublicData}
 *   <li>{@code idx:DIR}: the four files of {@link Idx#directory}
 *   <li>{@code images:DIR_OR_ZIP[,channels=1|3]}: {@link ImageFolder}, {@link ImageZip}; the parts {@code train} and
 *       {@code test} (folders or .zip files), or one part that is split
 *   <li>{@code npy:DIR}: {@link NpySamples}, {@code x_train.npy} and {@code y_train.npy}, and the same with {@code test};
 *       without these the samples are split
 *   <li>{@code csv:FILE[,target=COLUMN][,header=true|false][,missing=error|drop][,separator=;|tab]
 *       [,categorical=A;B][,test=FILE]}: {@link Csv}; without a test file the lines are split
 * </ul>
 *
 * @param location file or directory; empty for named data sets
 */
public record DataSource(Kind kind, String location, Map<String, String> options) {

    /** What comes before the colon, and the options that may follow. */
    public enum Kind {
        STROKES(false, "train", "test", "seed"),
        MNIST(false),
        CIFAR10(false),
        IDX(true),
        IMAGES(true, "channels"),
        NPY(true),
        CSV(true, "target", "header", "missing", "separator", "categorical", "test");

        private final boolean located;
        private final List<String> keys;

        Kind(boolean located, String... keys) {
            this.located = located;
            this.keys = List.of(keys);
        }

        String text() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public DataSource {
        options = Map.copyOf(options);
    }

    /** Understands the line; an {@link ArgumentException} says what it does not understand. Nothing is read yet. */
    public static DataSource parse(String text) {
        // a comma belongs to the path unless key= follows
        String[] parts = text.strip().split(",(?=[a-z]+=)");
        String head = parts[0];
        int colon = head.indexOf(':');
        String word = colon < 0 ? head : head.substring(0, colon);
        Kind kind = Arrays.stream(Kind.values())
                .filter(candidate -> candidate.text().equals(word))
                .findFirst()
                .orElseThrow(() -> new ArgumentException("unknown data '" + word + "' in '" + text
                        + "'; expected strokes, mnist, cifar10, idx:DIR, images:DIR_OR_ZIP, npy:DIR or csv:FILE"));
        String location = colon < 0 ? "" : head.substring(colon + 1);
        if (kind.located == location.isEmpty()) {
            throw new ArgumentException(
                    kind.located
                            ? "'" + text + "' names no file or directory; write " + kind.text() + ":PATH"
                            : "'" + text + "': " + kind.text() + " takes no path; use --data-dir to say where it is");
        }
        Map<String, String> options = new LinkedHashMap<>();
        for (String part : Arrays.asList(parts).subList(1, parts.length)) {
            String key = part.substring(0, part.indexOf('='));
            if (!kind.keys.contains(key)) {
                throw new ArgumentException("'" + text + "': " + kind.text() + " has no option '" + key + "'; "
                        + (kind.keys.isEmpty() ? "it has none" : "it has " + String.join(", ", kind.keys)));
            }
            if (options.put(key, part.substring(key.length() + 1)) != null) {
                throw new ArgumentException("'" + text + "': option '" + key + "' is given twice; keep one");
            }
        }
        return new DataSource(kind, location, options);
    }

    /** Finds or makes the data. Images are decoded when they are first read. */
    public Split load(DataOptions with) {
        return switch (kind) {
            case STROKES -> strokes(with);
            case MNIST -> publicData(with).mnist(with.validationShare(), with.seed());
            case CIFAR10 -> publicData(with).cifar10(with.validationShare(), with.seed());
            case IDX -> idx(with);
            case IMAGES -> ImageParts.load(Path.of(location), (int) number("channels", 0), with);
            case NPY -> npy(with);
            case CSV -> csv(with);
        };
    }

    private Split strokes(DataOptions with) {
        // the data stay the same when a run is repeated with another seed
        long seed = number("seed", 1);
        int train = (int) number("train", Strokes.TRAIN);
        int test = (int) number("test", Strokes.TEST);
        return Split.of(
                Strokes.train(train, seed),
                Strokes.test(test, seed),
                with.validationShare(),
                with.seed(),
                "Strokes, drawn digits, seed " + seed);
    }

    private static PublicData publicData(DataOptions with) {
        return PublicData.of(with.dataDirectory(), with.cache(), with.threads());
    }

    private Split idx(DataOptions with) {
        List<ByteImages> parts = Idx.directory(Path.of(location));
        return Split.of(parts.get(0), parts.get(1), with.validationShare(), with.seed(), "IDX files in " + location);
    }

    private Split npy(DataOptions with) {
        Path directory = Path.of(location);
        if (!Files.isDirectory(directory)) {
            throw new ArgumentException("there is no directory " + directory + "; check the path");
        }
        NpySamples train = NpySamples.read(directory.resolve("x_train.npy"), directory.resolve("y_train.npy"));
        Path values = directory.resolve("x_test.npy");
        Path labels = directory.resolve("y_test.npy");
        String about = "NPY files in " + location;
        if (!Files.exists(values) && !Files.exists(labels)) {
            return Split.of(train, with.validationShare(), with.testShare(), with.seed(), about + ", split");
        }
        NpySamples test = NpySamples.read(values, labels, train.classNames());
        return Split.of(train, test, with.validationShare(), with.seed(), about);
    }

    private Split csv(DataOptions with) {
        Path file = Path.of(location);
        CsvOptions how = csvOptions();
        CsvTable table = with.schema() == null ? Csv.read(file, how) : Csv.read(file, how, with.schema());
        String about =
                "table " + file.getFileName() + ", target " + table.schema().target()
                        + (table.droppedRows() > 0 ? ", without " + table.droppedRows() + " incomplete lines" : "");
        if (!options.containsKey("test")) {
            return Split.of(table, with.validationShare(), with.testShare(), with.seed(), about);
        }
        CsvTable test = Csv.read(Path.of(options.get("test")), how, table.schema());
        return Split.of(table, test, with.validationShare(), with.seed(), about);
    }

    /** The rows of another file, read as this table was, to predict their classes. See {@link Csv#inputs}. */
    public CsvTable inputs(Path file, CsvSchema schema) {
        if (kind != Kind.CSV) {
            throw new ArgumentException(this + " is no table; rows can be read the way of csv:FILE only");
        }
        return Csv.inputs(file, csvOptions(), schema);
    }

    private CsvOptions csvOptions() {
        List<String> categorical = new ArrayList<>();
        if (options.containsKey("categorical")) {
            categorical.addAll(Arrays.asList(options.get("categorical").split(";")));
        }
        return new CsvOptions(
                choice(
                        "header",
                        CsvOptions.Header.AUTO,
                        CsvOptions.Header.PRESENT,
                        "true",
                        CsvOptions.Header.ABSENT,
                        "false"),
                options.get("target"),
                separator(),
                choice(
                        "missing",
                        CsvOptions.Missing.ERROR,
                        CsvOptions.Missing.ERROR,
                        "error",
                        CsvOptions.Missing.DROP_ROW,
                        "drop"),
                categorical);
    }

    private char separator() {
        String value = options.getOrDefault("separator", ",");
        if (value.equals("tab")) {
            return '\t';
        }
        if (value.length() != 1) {
            throw new ArgumentException(
                    "separator is '" + value + "', expected one character such as ; or the word tab");
        }
        return value.charAt(0);
    }

    private <T> T choice(String key, T otherwise, T first, String firstName, T second, String secondName) {
        String value = options.get(key);
        if (value == null) {
            return otherwise;
        }
        if (value.equals(firstName) || value.equals(secondName)) {
            return value.equals(firstName) ? first : second;
        }
        throw new ArgumentException(key + " is '" + value + "', expected " + firstName + " or " + secondName);
    }

    private long number(String key, int otherwise) {
        String value = options.getOrDefault(key, Integer.toString(otherwise));
        if (!value.matches("[0-9]{1,9}")) {
            throw new ArgumentException(key + " is '" + value + "', expected a whole number");
        }
        return Long.parseLong(value);
    }

    /** The line that {@link #parse} understands, with the options in alphabetical order. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(kind.text());
        if (kind.located) {
            text.append(':').append(location);
        }
        options.keySet().stream()
                .sorted()
                .forEach(key -> text.append(',').append(key).append('=').append(options.get(key)));
        return text.toString();
    }
}
