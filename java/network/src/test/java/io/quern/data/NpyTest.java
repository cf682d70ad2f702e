package io.quern.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class NpyTest {
    @TempDir
    Path directory;

    private static byte[] file(int version, String header, byte... data) {
        byte[] text = header.getBytes(StandardCharsets.ISO_8859_1);
        int size = version == 1 ? 2 : 4;
        byte[] bytes = new byte[8 + size + text.length + data.length];
        byte[] start = {
            (byte) 0x93, 'N', 'U', 'M', 'P', 'Y', (byte) version, 0, (byte) text.length, (byte) (text.length >> 8)
        };
        System.arraycopy(start, 0, bytes, 0, start.length);
        System.arraycopy(text, 0, bytes, 8 + size, text.length);
        System.arraycopy(data, 0, bytes, 8 + size + text.length, data.length);
        return bytes;
    }

    private static NpyArray parse(byte[] bytes) {
        return Npy.parse("a.npy", new ByteArrayInputStream(bytes), bytes.length);
    }

    private static String refusal(String header, byte... data) {
        FormatException e = assertThrows(FormatException.class, () -> parse(file(1, header, data)));
        return e.getMessage();
    }

    private static String header(String descr, String shape) {
        return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
    }

    @Test
    void readsAllThreeVersions() {
        for (int version = 1; version <= 3; version++) {
            NpyArray array = parse(file(
                    version,
                    header("<i4", "(2,)"),
                    (byte) 1,
                    (byte) 1,
                    (byte) 0,
                    (byte) 0,
                    (byte) -1,
                    (byte) -1,
                    (byte) -1,
                    (byte) -1));
            assertEquals(Shape.of(2), array.shape());
            assertArrayEquals(new int[] {257, -1}, array.toInts());
        }
    }

    @Test
    void readsHalvesAndScalars() {
        // 0x3c00 is 1 in binary16
        NpyArray array = parse(file(1, header("<f2", "()"), (byte) 0, (byte) 0x3c));
        assertEquals(0, array.shape().rank());
        assertEquals(1, array.get(0));
    }

    @ParameterizedTest
    @EnumSource(NpyType.class)
    void writesWhatItReads(NpyType type) {
        NpyArray array = NpyArray.of(type, Shape.of(2, 3), 0, 1, 1, 0, 1, 0);
        Path path = directory.resolve("a.npy");
        Npy.write(path, array);
        NpyArray read = Npy.read(path);
        assertEquals(type, read.type());
        assertEquals(Shape.of(2, 3), read.shape());
        assertArrayEquals(array.bytes(), read.bytes());
        assertArrayEquals(new float[] {0, 1, 1, 0, 1, 0}, read.toFloats());
    }

    @Test
    void headersAreAlignedTo64BytesAndNothingElseIsLeftBehind() throws IOException {
        Path path = directory.resolve("a.npy");
        Npy.write(path, NpyArray.of(Shape.of(3), 1f, 2f, 3f));
        Npy.write(path, NpyArray.of(Shape.of(1), 1L << 60));
        assertEquals(128 + 8, Files.size(path));
        assertEquals(1L << 60, Npy.read(path).getLong(0));
        try (Stream<Path> files = Files.list(directory)) {
            assertEquals(1, files.count());
        }
    }

    @Test
    void goesToAndFromTensors() {
        try (Tensor tensor = Tensor.of(Shape.of(2, 2), 1, 2, 3, 4);
                Tensor transposed = tensor.permute(1, 0);
                Tensor back = NpyArray.of(transposed).toTensor(DType.F64)) {
            assertEquals(NpyType.F4, NpyArray.of(tensor).type());
            assertArrayEquals(new float[] {1, 3, 2, 4}, back.toFloats());
        }
    }

    @Test
    void objectsForeignOrdersAndOtherTypesAreRefused() {
        assertTrue(refusal(header("|O", "(1,)"), new byte[8]).contains("pickled"));
        assertTrue(refusal(header(">f4", "(1,)"), new byte[4]).contains("element type '>f4'"));
        assertTrue(refusal("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}")
                .contains("structured"));
        assertTrue(refusal("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1)}")
                .contains("ascontiguousarray"));
    }

    @Test
    void sizesAreCheckedBeforeMemoryIsAllocated() {
        assertTrue(refusal(header("<f8", "(4294967296,)")).contains("more than the file has"));
        assertTrue(refusal(header("<f8", "(999999999999, 999999999999)")).contains("more than 2^63"));
        assertTrue(refusal(header("<f4", "(2,)"), new byte[7]).contains("needs 2 x 4 bytes"));
        assertTrue(refusal(header("<f4", "(1,)"), new byte[5]).contains("unexpected bytes"));
        byte[] longHeader = file(2, header("<f4", "(0,)"));
        longHeader[10] = 1;
        assertTrue(assertThrows(FormatException.class, () -> parse(longHeader))
                .getMessage()
                .contains("at most 10000 are read"));
    }

    @Test
    void malformedHeadersSayWhere() {
        assertTrue(refusal("{'descr': '<f4', 'shape': (1,)}").contains("incomplete header"));
        assertTrue(refusal("{'descr': '<f4', 'descr': '<f4'}").contains("byte 27: unknown or repeated key 'descr'"));
        assertTrue(refusal(header("<f4", "(-1,)")).contains("expected an extent"));
        assertTrue(refusal(header("<f4", "(1,)") + "x").contains("incomplete header"));
    }

    @Test
    void mutationsAreRefusedOrRead() {
        byte[] matrix = file(1, header("<f4", "(5, 10)"), new byte[200]);
        byte[] bytes = file(2, header("|u1", "(300,)"), new byte[300]);
        Fuzz.run(4000, 1100, 1 << 20, NpyTest::parse, matrix, bytes, Arrays.copyOf(matrix, 60), Samples.gzip(bytes));
    }
}
