package io.quern.train;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.quern.data.FormatException;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The JSON part of a safetensors file: which tensor lies where. Source: the format's specification,
 * https://github.com/huggingface/safetensors.
 *
 * @param entries by name, in the order of their data, which they fill without gaps
 * @param metadata free text by key
 */
record SafetensorsHeader(Map<String, Entry> entries, Map<String, String> metadata) {
    private static final String METADATA = "__metadata__";
    private static final String REMEDY = "write the file again, or get it from its source once more";
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(3)
                    .maxNumberLength(19)
                    .build())
            .build();

    /** Where a tensor lies, in bytes behind the header. */
    record Entry(DType dtype, Shape shape, long begin, long end) {}

    /** Lays tensors out: the widest elements first, so that all are aligned, then by name. */
    static SafetensorsHeader of(Map<String, DType> dtypes, Map<String, Shape> shapes, Map<String, String> metadata) {
        List<String> names = new ArrayList<>(new TreeMap<>(dtypes).keySet());
        names.sort(Comparator.comparing(name -> -dtypes.get(name).bytes()));
        Map<String, Entry> entries = new LinkedHashMap<>();
        long begin = 0;
        for (String name : names) {
            if (name.equals(METADATA)) {
                throw new ArgumentException("a tensor cannot be called " + METADATA + " in a safetensors file");
            }
            long end = begin + shapes.get(name).elements() * dtypes.get(name).bytes();
            entries.put(name, new Entry(dtypes.get(name), shapes.get(name), begin, end));
            begin = end;
        }
        return new SafetensorsHeader(entries, new TreeMap<>(metadata));
    }

    /** Bytes of all tensors together. */
    long dataBytes() {
        return entries.values().stream().mapToLong(Entry::end).max().orElse(0);
    }

    /** The JSON text, padded with blanks so that data behind it and its length start at a multiple of 8. */
    byte[] toBytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            json.writeStartObject();
            if (!metadata.isEmpty()) {
                json.writeObjectFieldStart(METADATA);
                for (Map.Entry<String, String> item : metadata.entrySet()) {
                    json.writeStringField(item.getKey(), item.getValue());
                }
                json.writeEndObject();
            }
            for (Map.Entry<String, Entry> item : entries.entrySet()) {
                Entry entry = item.getValue();
                long[] extents = entry.shape.toArray();
                json.writeObjectFieldStart(item.getKey());
                json.writeStringField("dtype", entry.dtype.name());
                json.writeFieldName("shape");
                json.writeArray(extents, 0, extents.length);
                json.writeFieldName("data_offsets");
                json.writeArray(new long[] {entry.begin, entry.end}, 0, 2);
                json.writeEndObject();
            }
            json.writeEndObject();
        } catch (IOException e) {
            throw new IllegalStateException("a byte array cannot fail", e);
        }
        while (bytes.size() % 8 != 0) {
            bytes.write(' ');
        }
        return bytes.toByteArray();
    }

    /**
     * Reads and checks a header.
     *
     * @param dataBytes bytes of the file behind the header
     * @throws FormatException for anything that the specification does not allow, or a dtype that Quern lacks
     */
    static SafetensorsHeader parse(String file, byte[] header, long dataBytes) {
        if (header.length == 0 || header[0] != '{') {
            throw fail(file, "the header does not start with '{'", null);
        }
        Map<String, Entry> entries = new LinkedHashMap<>();
        Map<String, String> metadata = new TreeMap<>();
        try {
            // strictly UTF-8: a parser of bytes would guess UTF-16 and UTF-32 as well
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(header))
                    .toString();
            try (JsonParser json = JSON.createParser(text)) {
                json.nextToken();
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    String name = json.currentName();
                    expect(file, json, json.nextToken(), JsonToken.START_OBJECT);
                    if (name.equals(METADATA)) {
                        readMetadata(file, json, metadata);
                    } else {
                        entries.put(name, readEntry(file, json, name));
                    }
                }
                if (json.nextToken() != null) {
                    throw fail(file, "there is more JSON behind the header's object", null);
                }
            }
        } catch (IOException e) {
            throw fail(file, "the header is not the JSON of the format: " + e.getMessage(), e);
        }
        return new SafetensorsHeader(inOrder(file, entries, dataBytes), metadata);
    }

    private static void readMetadata(String file, JsonParser json, Map<String, String> metadata) throws IOException {
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String key = json.currentName();
            expect(file, json, json.nextToken(), JsonToken.VALUE_STRING);
            metadata.put(key, json.getText());
        }
    }

    private static Entry readEntry(String file, JsonParser json, String name) throws IOException {
        DType dtype = null;
        long[] extents = null;
        long[] offsets = null;
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            switch (json.currentName()) {
                case "dtype" -> {
                    expect(file, json, json.nextToken(), JsonToken.VALUE_STRING);
                    dtype = dtype(file, name, json.getText());
                }
                case "shape" -> extents = readNumbers(file, json);
                case "data_offsets" -> offsets = readNumbers(file, json);
                default ->
                    throw fail(file, "tensor '" + name + "' has the unknown field '" + json.currentName() + "'", null);
            }
        }
        if (dtype == null || extents == null || offsets == null || offsets.length != 2) {
            throw fail(file, "tensor '" + name + "' lacks dtype, shape or two data_offsets", null);
        }
        Shape shape;
        long bytes;
        try {
            shape = Shape.of(extents);
            bytes = Math.multiplyExact(shape.elements(), dtype.bytes());
        } catch (ArgumentException | ArithmeticException e) {
            throw fail(file, "tensor '" + name + "' has an impossible shape: " + e.getMessage(), e);
        }
        if (offsets[0] > offsets[1] || offsets[1] - offsets[0] != bytes) {
            throw fail(
                    file,
                    "tensor '" + name + "' of " + bytes + " bytes has the offsets " + offsets[0] + " to " + offsets[1],
                    null);
        }
        return new Entry(dtype, shape, offsets[0], offsets[1]);
    }

    private static DType dtype(String file, String name, String text) {
        for (DType dtype : DType.values()) {
            if (dtype.name().equals(text)) {
                return dtype;
            }
        }
        throw fail(file, "tensor '" + name + "' has the dtype '" + text + "', known are F32, F64, BF16, I32", null);
    }

    /** An array of integers of at least 0. */
    private static long[] readNumbers(String file, JsonParser json) throws IOException {
        expect(file, json, json.nextToken(), JsonToken.START_ARRAY);
        long[] numbers = new long[8];
        int count = 0;
        while (json.nextToken() != JsonToken.END_ARRAY) {
            expect(file, json, json.currentToken(), JsonToken.VALUE_NUMBER_INT);
            if (count == numbers.length || json.getLongValue() < 0) {
                throw fail(file, "a shape or an offset is negative, or has more than 8 numbers", null);
            }
            numbers[count++] = json.getLongValue();
        }
        return java.util.Arrays.copyOf(numbers, count);
    }

    private static void expect(String file, JsonParser json, JsonToken found, JsonToken expected) {
        if (found != expected) {
            throw fail(
                    file,
                    "found " + found + " where the header needs " + expected + ", at column "
                            + json.currentTokenLocation().getColumnNr(),
                    null);
        }
    }

    /** Sorted by place; every byte of the data belongs to exactly one tensor. */
    private static Map<String, Entry> inOrder(String file, Map<String, Entry> entries, long dataBytes) {
        List<Map.Entry<String, Entry>> sorted = new ArrayList<>(entries.entrySet());
        sorted.sort(Comparator.comparingLong((Map.Entry<String, Entry> e) -> e.getValue().begin)
                .thenComparingLong(e -> e.getValue().end));
        Map<String, Entry> ordered = new LinkedHashMap<>();
        long position = 0;
        for (Map.Entry<String, Entry> item : sorted) {
            Entry entry = item.getValue();
            if (entry.begin != position) {
                throw fail(
                        file,
                        "tensor '" + item.getKey() + "' starts at " + entry.begin + ", expected " + position,
                        null);
            }
            position = entry.end;
            ordered.put(item.getKey(), entry);
        }
        if (position != dataBytes) {
            throw fail(file, "the tensors end at " + position + " but there are " + dataBytes + " bytes of data", null);
        }
        return ordered;
    }

    static FormatException fail(String file, String problem, Throwable cause) {
        return new FormatException(file, "", problem, REMEDY, cause);
    }
}
