package io.quern.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.data.FormatException;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever the bytes, a file is read or refused by FormatException, and takes no memory beyond its own length. */
class SafetensorsFuzzTest {
    private static final int MUTATIONS = 20_000;
    /** Most mutants are parsed in memory; one in so many goes through a file, with its tensors. */
    private static final int FILE_EVERY = 20;

    private static final List<String> TOKENS = List.of(
            "{",
            "}",
            "[",
            "]",
            "\"",
            ",",
            ":",
            "-1",
            "0",
            "8",
            "1e9",
            "9223372036854775807",
            "18446744073709551616",
            "null",
            "true",
            "\"F32\"",
            "\"F16\"",
            "\"dtype\"",
            "\"shape\"",
            "\"data_offsets\"",
            "__metadata__",
            "\\u0000",
            "\u00e4",
            "{\"x\":",
            "[[[[[[",
            " ");

    @TempDir
    private Path folder;

    private byte[] seedFile() throws IOException {
        Path path = folder.resolve("seed");
        try (Tensor x = Tensor.of(Shape.of(2, 2), 1, 2, 3, 4);
                Tensor y = Tensor.allocate(DType.F64, Shape.of(1));
                Tensor z = Tensor.allocate(DType.BF16, Shape.of(0, 3))) {
            Safetensors.write(path, Map.of("x", x, "why", y, "z", z), Map.of("model", "dense(2)"));
        }
        return Files.readAllBytes(path);
    }

    /** One to four edits: a byte, a token of the format, a cut, a doubled run, or another header length. */
    private static byte[] mutate(byte[] seed, Rng rng) {
        byte[] bytes = seed;
        int edits = 1 + rng.below(0, 4);
        for (int edit = 0; edit < edits; edit++) {
            int draw = 10 + 10 * edit;
            int at = rng.below(draw, Math.max(1, bytes.length));
            switch (rng.below(draw + 1, 6)) {
                case 0 -> bytes = splice(bytes, at, 1, new byte[] {(byte) rng.bits32(draw + 2)});
                case 1 -> bytes = splice(bytes, at, 0, token(rng, draw + 2));
                case 2 -> bytes = splice(bytes, at, 1 + rng.below(draw + 2, 8), token(rng, draw + 3));
                case 3 -> bytes = Arrays.copyOf(bytes, at);
                case 4 -> bytes = splice(bytes, at, 0, Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + 40)));
                default -> bytes = splice(bytes, rng.below(draw + 2, 8), 1, new byte[] {(byte) rng.bits32(draw + 3)});
            }
        }
        return bytes;
    }

    private static byte[] token(Rng rng, int draw) {
        return TOKENS.get(rng.below(draw, TOKENS.size())).getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] splice(byte[] bytes, int at, int removed, byte[] inserted) {
        int from = Math.min(at, bytes.length);
        int rest = Math.min(from + removed, bytes.length);
        byte[] result = new byte[from + inserted.length + bytes.length - rest];
        System.arraycopy(bytes, 0, result, 0, from);
        System.arraycopy(inserted, 0, result, from, inserted.length);
        System.arraycopy(bytes, rest, result, from + inserted.length, bytes.length - rest);
        return result;
    }

    /** Half of the files get a length that fits, so that mutations reach the JSON and the checks behind it. */
    private static void mendLength(byte[] bytes, int headerBytes) {
        if (bytes.length >= 8) {
            for (int i = 0; i < 8; i++) {
                bytes[i] = (byte) ((long) headerBytes >>> 8 * i);
            }
        }
    }

    private static void loadAll(Path path, int length) {
        long bytes = 0;
        try (Safetensors file = Safetensors.open(path)) {
            for (String name : file.names()) {
                try (Tensor tensor = file.load(name)) {
                    bytes += tensor.elements() * tensor.dtype().bytes();
                }
            }
        }
        assertTrue(bytes <= length, "more data than bytes");
    }

    @Test
    void onlyFormatExceptionsEscape() throws IOException {
        byte[] seed = seedFile();
        long live = Memory.host().liveBytes();
        int accepted = 0;
        int refused = 0;
        Path path = folder.resolve("mutant");
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] mutant = mutate(seed, Rng.of(20261123).step(i));
            if (i % (2 * FILE_EVERY) == 0) {
                mendLength(mutant, Math.max(0, mutant.length - 8 - 24));
            }
            try {
                if (i % FILE_EVERY == 0) {
                    loadAll(Files.write(path, mutant), mutant.length);
                } else if (mutant.length >= 8) {
                    int headerBytes = Math.max(0, mutant.length - 8 - 24);
                    byte[] header = Arrays.copyOfRange(mutant, 8, 8 + headerBytes);
                    SafetensorsHeader.parse("mutant", header, mutant.length - 8 - headerBytes);
                }
                accepted++;
            } catch (FormatException e) {
                refused++;
            } catch (Throwable e) {
                throw new AssertionError("mutation " + i + " of seed 20261123: " + Arrays.toString(mutant), e);
            }
        }
        assertEquals(MUTATIONS, accepted + refused);
        assertTrue(
                accepted > MUTATIONS / 100 && refused > MUTATIONS / 2, accepted + " accepted, " + refused + " refused");
        assertEquals(live, Memory.host().liveBytes());
    }
}
