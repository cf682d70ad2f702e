package io.quern.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.data.FormatException;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.QuernException;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsTest {
    @TempDir
    private Path folder;

    private Path file(String header, int dataBytes) throws IOException {
        return file(header.getBytes(StandardCharsets.UTF_8), dataBytes);
    }

    private Path file(byte[] header, int dataBytes) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(header.length).put(header);
        return Files.write(folder.resolve("test.safetensors"), bytes.array());
    }

    private static String refusal(Path path) {
        return assertThrows(FormatException.class, () -> Safetensors.open(path).close())
                .getMessage();
    }

    @Test
    void theBytesAreThoseOfTheSpecification() throws IOException {
        Path path = folder.resolve("small.safetensors");
        try (Tensor b = Tensor.of(Shape.of(2), 1, -2);
                Tensor a = Tensor.allocate(DType.I32, Shape.of(1, 1)).fill(7)) {
            Safetensors.write(path, Map.of("b", b, "a", a), Map.of("k", "v"));
        }
        String header = "{\"__metadata__\":{\"k\":\"v\"},"
                + "\"a\":{\"dtype\":\"I32\",\"shape\":[1,1],\"data_offsets\":[0,4]},"
                + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}";
        header += " ".repeat((8 - header.length() % 8) % 8);
        ByteBuffer expected = ByteBuffer.allocate(8 + header.length() + 12).order(ByteOrder.LITTLE_ENDIAN);
        expected.putLong(header.length())
                .put(header.getBytes(StandardCharsets.US_ASCII))
                .putInt(7)
                .putFloat(1)
                .putFloat(-2);
        assertArrayEquals(expected.array(), Files.readAllBytes(path));
    }

    @Test
    void everyDtypeShapeAndValueComesBack() {
        Path path = folder.resolve("all.safetensors");
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("bf16", Tensor.allocate(DType.BF16, Shape.of(3)).copyFrom(new float[] {1, -0.5f, 3e38f}));
        tensors.put("f32", Tensor.of(Shape.of(2, 2), -0f, Float.MIN_VALUE, Float.NaN, Float.NEGATIVE_INFINITY));
        tensors.put("f64", Tensor.allocate(DType.F64, Shape.of(1)).fill(Math.PI));
        tensors.put("i32", Tensor.allocate(DType.I32, Shape.of(2)).copyFrom(new int[] {Integer.MIN_VALUE, 5}));
        tensors.put("large", Tensor.allocate(DType.F32, Shape.of(3, 100_003)));
        for (int i = 0; i < 300_009; i += 1000) {
            tensors.get("large").set(i, i);
        }
        tensors.put("nothing", Tensor.allocate(DType.F32, Shape.of(0, 4)));
        tensors.put("scalar", Tensor.of(Shape.of(), 2.5f));
        Safetensors.write(path, tensors, Map.of("umlaut", "\u00e4\u4e2d\n\""));
        try (Safetensors read = Safetensors.open(path)) {
            assertEquals(Map.of("umlaut", "\u00e4\u4e2d\n\""), read.metadata());
            assertEquals(
                    List.of("f64", "f32", "i32", "large", "nothing", "scalar", "bf16"),
                    List.copyOf(read.names()),
                    "the widest first, so that all are aligned; then by name");
            tensors.forEach((name, tensor) -> {
                try (tensor;
                        Tensor back = read.load(name)) {
                    assertEquals(tensor.dtype(), back.dtype(), name);
                    assertEquals(tensor.shape(), back.shape(), name);
                    for (long i = 0; i < tensor.elements(); i++) {
                        assertEquals(
                                Double.doubleToRawLongBits(tensor.get(i)),
                                Double.doubleToRawLongBits(back.get(i)),
                                name);
                    }
                }
            });
        }
    }

    @Test
    void aViewIsStoredInItsOwnOrderAndReadIntoOne() {
        Path path = folder.resolve("view.safetensors");
        try (Tensor matrix = Tensor.of(Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
                Tensor target = Tensor.of(Shape.of(2, 3), 0, 0, 0, 0, 0, 0)) {
            Safetensors.write(path, Map.of("t", matrix.permute(1, 0)), Map.of());
            try (Safetensors read = Safetensors.open(path)) {
                read.read("t", target.permute(1, 0));
                assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, target.toFloats());
                assertTrue(assertThrows(ArgumentException.class, () -> read.read("t", target))
                        .getMessage()
                        .contains("has shape 3x2, expected 2x3"));
                assertTrue(assertThrows(ArgumentException.class, () -> read.load("u"))
                        .getMessage()
                        .contains("no tensor 'u'"));
            }
        }
    }

    @Test
    void theFileThatIsReadMayBeWrittenAnew() {
        Path path = folder.resolve("same.safetensors");
        try (Tensor x = Tensor.of(Shape.of(2), 1, 2)) {
            Safetensors.write(path, Map.of("x", x), Map.of());
            try (Safetensors read = Safetensors.open(path);
                    Tensor y = read.load("x")) {
                y.set(0, 9);
                Safetensors.write(path, Map.of("x", y), Map.of());
                read.read("x", x);
                assertArrayEquals(new float[] {1, 2}, x.toFloats(), "the open file is still the old one");
            }
            try (Safetensors read = Safetensors.open(path)) {
                read.read("x", x);
                assertArrayEquals(new float[] {9, 2}, x.toFloats());
            }
        }
        assertArrayEquals(new String[] {"same.safetensors"}, folder.toFile().list());
    }

    @Test
    void aHugeHeaderIsRefusedBeforeItIsRead() throws IOException {
        byte[] bytes = new byte[64];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(57);
        assertTrue(refusal(Files.write(folder.resolve("a"), bytes)).contains("would have 57 bytes in a file of 64"));
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(-1);
        assertTrue(refusal(Files.write(folder.resolve("b"), bytes)).contains("18446744073709551615"));
        assertTrue(refusal(Files.write(folder.resolve("c"), new byte[7])).contains("only 7 bytes"));
        assertTrue(refusal(Files.write(folder.resolve("d"), new byte[0])).contains("only 0 bytes"));
    }

    static Stream<List<String>> brokenHeaders() {
        String x = "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]";
        return Stream.of(
                List.of(" {}", "does not start with '{'"),
                List.of("{", "not the JSON"),
                List.of("{\"x\":{" + x + "}}{}", "more JSON"),
                List.of("{\"x\":{" + x + "},\"x\":{" + x + "}}", "Duplicate"),
                List.of("{\"x\":{" + x + ",\"dtype\":\"F32\"}}", "Duplicate"),
                List.of("{\"x\":{" + x + ",\"more\":1}}", "unknown field 'more'"),
                List.of("{\"x\":7}", "needs START_OBJECT"),
                List.of("{\"x\":{\"dtype\":\"F32\",\"shape\":[2]}}", "lacks dtype, shape or two data_offsets"),
                List.of("{\"x\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[0,8]}}", "dtype 'F16', known are"),
                List.of(
                        "{\"x\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}",
                        "of 12 bytes has the offsets"),
                List.of("{\"x\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", "negative"),
                List.of("{\"x\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", "needs VALUE_NUMBER_INT"),
                List.of(
                        "{\"x\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}",
                        "more than 8"),
                List.of(
                        "{\"x\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}",
                        "impossible shape"),
                List.of(
                        "{\"x\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,8]}}",
                        "impossible shape"),
                List.of("{\"x\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,8]}}", "JSON"),
                List.of("{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "end at 4 but there are 8"),
                List.of("{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "starts at 4, expected 0"),
                List.of(
                        "{\"x\":{" + x + "},\"y\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
                        "'y' starts at 4, expected 8"),
                List.of("{\"__metadata__\":{\"a\":1},\"x\":{" + x + "}}", "needs VALUE_STRING"),
                List.of("{\"x\":[[[[[[[[]]]]]]]]}", "needs START_OBJECT"),
                List.of("{\"x\":{\"dtype\":\"F32\",\"shape\":[[[[[[2]]]]]],\"data_offsets\":[0,8]}}", "format"));
    }

    @ParameterizedTest
    @MethodSource("brokenHeaders")
    void whatTheSpecificationForbidsIsRefused(List<String> headerAndReason) throws IOException {
        String message = refusal(file(headerAndReason.get(0), 8));
        assertTrue(message.contains(headerAndReason.get(1)), message);
    }

    @Test
    void theHeaderIsUtf8AndNothingElse() throws IOException {
        String header = "{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
        Safetensors.open(file(header, 8)).close();
        assertTrue(refusal(file(header.getBytes(StandardCharsets.UTF_16LE), 8)).contains("not the JSON"));
        byte[] wrong = header.getBytes(StandardCharsets.UTF_8);
        wrong[2] = (byte) 0xff;
        assertTrue(refusal(file(wrong, 8)).contains("not the JSON"));
    }

    @Test
    void aMissingFileIsNotAFormatError() {
        QuernException e = assertThrows(QuernException.class, () -> Safetensors.open(folder.resolve("none")));
        assertTrue(e.getMessage().contains("cannot read") && !(e instanceof FormatException), e.getMessage());
    }

    @Test
    void equalTensorsGiveEqualBytesInAnyOrderOfTheMap() throws IOException {
        try (Tensor x = Tensor.of(Shape.of(3), 1, 2, 3);
                Tensor y = Tensor.of(Shape.of(1), 4)) {
            Map<String, Tensor> forward = new LinkedHashMap<>(Map.of("x", x));
            forward.put("y", y);
            Map<String, Tensor> backward = new LinkedHashMap<>(Map.of("y", y));
            backward.put("x", x);
            Safetensors.write(folder.resolve("1"), forward, Map.of("b", "1", "a", "2"));
            Safetensors.write(folder.resolve("2"), backward, Map.of("a", "2", "b", "1"));
        }
        assertEquals(-1, Files.mismatch(folder.resolve("1"), folder.resolve("2")));
    }

    @Test
    void anUnwritableTargetIsAnErrorThatLeavesNoLitter() throws IOException {
        Path occupied = Files.createDirectories(folder.resolve("occupied").resolve("inner"))
                .getParent();
        try (Tensor x = Tensor.of(Shape.of(1), 1)) {
            assertTrue(assertThrows(QuernException.class, () -> Safetensors.write(occupied, Map.of("x", x), Map.of()))
                    .getMessage()
                    .contains("cannot write"));
        }
        assertArrayEquals(new String[] {"occupied"}, folder.toFile().list());
    }
}
