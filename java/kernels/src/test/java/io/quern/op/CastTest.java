package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.backend.reference.ReferenceBackend;
import io.quern.tensor.BFloat16;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CastTest {
    @Test
    void roundsTiesToEven() {
        assertCast(new float[] {1 + 0x1p-8f, 1 + 0x3p-8f, 1 + 0x1.01p-8f, -1 - 0x3p-8f}, DType.BF16, new float[] {
            1, 1 + 0x2p-7f, 1 + 0x1p-7f, -1 - 0x2p-7f
        });
        assertCast(new float[] {0.5f, 1.5f, 2.5f, -0.5f, -1.5f}, DType.I32, new float[] {0, 2, 2, 0, -2});
    }

    @Test
    void meetsTheEndsOfTheRange() {
        float infinity = Float.POSITIVE_INFINITY;
        assertCast(new float[] {Float.MAX_VALUE, -Float.MAX_VALUE, infinity, Float.NaN}, DType.BF16, new float[] {
            infinity, -infinity, infinity, Float.NaN
        });
        assertCast(new float[] {3e9f, -3e9f, -infinity, Float.NaN}, DType.I32, new float[] {
            Integer.MAX_VALUE, Integer.MIN_VALUE, Integer.MIN_VALUE, 0
        });
    }

    /** A float in between would turn 1 + 2^-8 + 2^-40 into a tie and then into 1. */
    @Test
    void roundsADoubleOnce() {
        try (Tensor x = Tensor.allocate(DType.F64, Shape.of(1)).fill(1 + 0x1p-8 + 0x1p-40);
                Tensor y = Tensor.allocate(DType.BF16, Shape.of(1))) {
            Cast.OP.reference(new Cast.Args(x, y));
            assertEquals(1 + 0x1p-7, y.item());
        }
    }

    /** Every upper half with lower halves around the tie, all NaNs among them. */
    @ParameterizedTest
    @MethodSource("io.quern.op.EmbeddingTest#backends")
    void convertsEveryBrainFloat(String name) {
        int[] lower = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
        int n = lower.length << 16;
        float[] values = new float[n];
        float[] expected = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = Float.intBitsToFloat(i / lower.length << 16 | lower[i % lower.length]);
            expected[i] = BFloat16.toFloat(BFloat16.fromFloat(values[i]));
        }
        try (Backend backend = Backends.of(name, 2);
                Tensor x = Tensor.of(Shape.of(n), values);
                Tensor half = Tensor.allocate(DType.BF16, Shape.of(n));
                Tensor y = Tensor.allocate(DType.F32, Shape.of(n))) {
            backend.run(Cast.OP, new Cast.Args(x, half));
            backend.run(Cast.OP, new Cast.Args(half, y));
            assertArrayEquals(expected, y.toFloats());
        }
    }

    @Test
    void passesTheGradientThrough() {
        try (Workspace workspace = new Workspace(Memory.host());
                ReferenceBackend backend = new ReferenceBackend(1);
                Tensor x = Tensor.of(Shape.of(2), 1, 2);
                Tensor seed = Tensor.allocate(DType.BF16, Shape.of(2)).copyFrom(new float[] {3, 4})) {
            Tape tape = new Tape(backend, workspace);
            Tensor y = Cast.apply(tape, tape.watch(x), DType.BF16);
            Tensor dx = tape.backward(Map.of(y, seed)).of(x);
            assertEquals(DType.F32, dx.dtype());
            assertArrayEquals(new float[] {3, 4}, dx.toFloats());
            assertSame(x, Cast.apply(tape, x, DType.F32));
            assertTrue(Cast.OP.hasGradient(new Cast.Args(y, dx), y));
        }
    }

    private static void assertCast(float[] values, DType to, float[] expected) {
        try (Tensor x = Tensor.of(Shape.of(values.length), values);
                Tensor y = Tensor.allocate(to, x.shape())) {
            Cast.OP.reference(new Cast.Args(x, y));
            assertArrayEquals(expected, y.toFloats());
        }
    }
}
