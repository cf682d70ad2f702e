package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.op.ActivationKind;
import io.quern.op.DropoutMask;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Epilogues in machine code write the bits of those in Java, and nothing beside the block. */
class EpilogueCodeTest {
    private static final float[] SPECIAL = {
        0f,
        -0f,
        Float.NaN,
        Float.POSITIVE_INFINITY,
        Float.NEGATIVE_INFINITY,
        Float.MIN_VALUE,
        Float.MAX_VALUE,
        -13f,
        88f
    };

    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(() -> EpilogueCode.takes(ActivationKind.GELU, true, true, 64), "epilogues");
    }

    @AfterEach
    void on() {
        LazyCode.off = false;
    }

    @Test
    void takesWhatACallCanDo() {
        assertTrue(EpilogueCode.takes(ActivationKind.NONE, false, false, 1));
        assertTrue(EpilogueCode.takes(ActivationKind.RELU, false, true, 1024));
        assertFalse(EpilogueCode.takes(ActivationKind.RELU, false, true, 1000), "bits of half a vector");
        assertFalse(EpilogueCode.takes(ActivationKind.TANH, false, false, 64));
        assertFalse(EpilogueCode.takes(ActivationKind.RELU, false, false, 0));
        assertFalse(EpilogueCode.takes(ActivationKind.RELU, false, false, 1 << 20), "a row longer than a call");
    }

    @Test
    void writesTheBitsOfJava() {
        SplittableRandom random = new SplittableRandom(11);
        for (int i = 0; i < 400; i++) {
            ActivationKind kind = ActivationKind.values()[random.nextInt(ActivationKind.values().length)];
            int cols = random.nextBoolean() ? 64 * (1 + random.nextInt(20)) : 1 + random.nextInt(300);
            int rows = 1 + random.nextInt(random.nextBoolean() ? 5 : 40);
            int row0 = random.nextInt(9), col0 = 16 * random.nextInt(4), width = col0 + cols + 8 * random.nextInt(3);
            check(kind, random.nextBoolean(), random.nextInt(3), rows, cols, row0, col0, width);
        }
    }

    /** @param drops 0 for none, else in thirds */
    private static void check(
            ActivationKind kind, boolean copies, int drops, int rows, int cols, int row0, int col0, int width) {
        LazyCode.off = true;
        int[] expected = bits(kind, copies, drops, rows, cols, row0, col0, width);
        LazyCode.off = false;
        int[] found = bits(kind, copies, drops, rows, cols, row0, col0, width);
        int at = Arrays.mismatch(expected, found);
        assertEquals(
                -1,
                at,
                () -> "%s, copies %b, drops %d/3, %d x %d from (%d, %d) of rows of %d: element %d of c and the copy"
                        .formatted(kind, copies, drops, rows, cols, row0, col0, width, at));
    }

    private static int[] bits(
            ActivationKind kind, boolean copies, int drops, int rows, int cols, int row0, int col0, int width) {
        int elements = (row0 + rows + 1) * width;
        try (Tensor c = values(1, elements);
                Tensor copy = values(2, elements);
                Tensor bias = values(3, width)) {
            FusedEpilogue.Dropping dropping = FusedEpilogue.Dropping.of(
                    drops == 0 ? null : new DropoutMask(drops / 3.0, Rng.of(9).stream(5)), width, new ThreadScratch());
            new FusedEpilogue(bias.address(), copies ? copy.address() : 0, kind, dropping)
                    .apply(c.address() + 4L * (row0 * width + col0), 4L * width, row0, rows, col0, cols);
            int[] bits = new int[2 * elements];
            for (int i = 0; i < elements; i++) {
                // of two NaN, which one an operation passes on is the compiler's choice
                bits[i] = Float.floatToIntBits(Floats.get(c.address() + 4L * i));
                bits[elements + i] = Float.floatToIntBits(Floats.get(copy.address() + 4L * i));
            }
            return bits;
        }
    }

    private static Tensor values(int stream, int elements) {
        Tensor tensor = Rng.of(31).stream(stream).fillUniform(Tensor.allocate(DType.F32, Shape.of(elements)), -6, 6);
        for (int i = stream; i < elements; i += 19) {
            tensor.set(i, SPECIAL[(i / 19 + stream) % SPECIAL.length]);
        }
        return tensor;
    }
}
