package io.quern.cli.run;

import io.quern.data.CsvSchema;
import io.quern.tensor.QuernException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a run knows of the data it learned from, the entry "data" of config.json.
 *
 * @param fingerprint of all samples, see {@link io.quern.data.Fingerprint}; empty in runs that recorded none
 * @param folder where public data were, absolute; null when none was named
 * @param schema the columns of a table; null for images
 */
public record DataFacts(String fingerprint, Path folder, CsvSchema schema) {
    /** Of a run that recorded nothing. */
    static final DataFacts NONE = new DataFacts("", null, null);

    public DataFacts {
        folder = folder == null ? null : folder.toAbsolutePath().normalize();
    }

    /** The given folder, or that of the run where it still exists; null for none. */
    public Path folderOr(Path given) {
        return given != null || folder == null || !Files.isDirectory(folder) ? given : folder;
    }

    /** Refuses to continue a run on data that are not the ones it began with. */
    public void requireSame(String found, Path run) {
        if (!fingerprint.isEmpty() && !fingerprint.equals(found)) {
            throw new QuernException("the data have changed since " + run + " was started (fingerprint " + found
                    + ", the run has " + fingerprint + "), so the run cannot be continued; bring the data back, or"
                    + " train anew with another --out");
        }
    }

    Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("fingerprint", fingerprint);
        map.put("folder", folder == null ? null : folder.toString());
        if (schema != null) {
            Map<String, Object> columns = new LinkedHashMap<>();
            schema.columns().forEach(column -> columns.put(column.name(), column.categories()));
            map.put("target", schema.target());
            map.put("target_index", schema.targetIndex());
            map.put("columns", columns);
        }
        return map;
    }

    /** @param map null in runs that recorded none */
    static DataFacts of(Map<?, ?> map, List<String> classNames) throws IOException {
        if (map == null) {
            return NONE;
        }
        Object folder = map.get("folder");
        return new DataFacts(
                (String) RunConfig.required(map, "fingerprint"),
                folder == null ? null : Path.of((String) folder),
                map.containsKey("columns") ? schema(map, classNames) : null);
    }

    private static CsvSchema schema(Map<?, ?> map, List<String> classNames) throws IOException {
        List<CsvSchema.Column> columns = ((Map<?, ?>) RunConfig.required(map, "columns"))
                .entrySet().stream()
                        .map(entry -> new CsvSchema.Column(
                                (String) entry.getKey(),
                                ((List<?>) entry.getValue())
                                        .stream().map(String.class::cast).toList()))
                        .toList();
        int index = ((Number) RunConfig.required(map, "target_index")).intValue();
        if (index < 0 || index > columns.size()) {
            throw new IOException("target_index is " + index + ", expected 0 to " + columns.size());
        }
        return new CsvSchema(columns, (String) RunConfig.required(map, "target"), index, classNames);
    }
}
