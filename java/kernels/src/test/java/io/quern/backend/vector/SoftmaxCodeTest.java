package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.op.Softmax;
import io.quern.op.SoftmaxBackward;
import io.quern.op.SoftmaxCrossEntropy;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Softmax in machine code, alone, with its loss and its gradient, writes the bits of its loops in Java, and nothing beside the rows. */
class SoftmaxCodeTest {
    /** Rows in a vector, with and without a rest, longer than what stays in a scratch, and longer than those of machine code. */
    private static final int[] COLUMNS = {
        1, 2, 10, 15, 16, 17, 32, 33, 100, 256, 1000, 1008, 4097, 5000, 16_384, 16_385, 70_000
    };
    /** What the ops write, each with its guards. */
    private static final int PARTS = 7, LOSSES = 4;

    private static final int GUARD = 21;
    private static final float[] SPECIAL = {
        0f, -0f, Float.NEGATIVE_INFINITY, 88f, -88f, -200f, Float.MIN_VALUE, Float.NaN, Float.POSITIVE_INFINITY
    };

    private long least;

    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(() -> SoftmaxCode.takes(10), "softmax");
        least = StreamCode.least;
    }

    @AfterEach
    void on() {
        LazyCode.off = false;
        if (least != 0) {
            StreamCode.least = least;
        }
    }

    @Test
    void takesRowsOfACall() {
        assertTrue(SoftmaxCode.takes(1));
        assertTrue(SoftmaxCode.takes(1 << 14));
        assertFalse(SoftmaxCode.takes((1 << 14) + 1));
        assertFalse(SoftmaxCode.takes(0));
        assertTrue(SoftmaxBackwardCode.takes(1 << 14));
        assertFalse(SoftmaxBackwardCode.takes((1 << 14) + 1));
    }

    @Test
    void writesTheBitsOfJava() {
        SplittableRandom random = new SplittableRandom(3);
        for (int columns : COLUMNS) {
            for (int i = 0; i < 8; i++) {
                int rows = i == 0 ? 1 : 1 + random.nextInt(1 + Math.min(900, 40_000 / columns));
                // values that end in a row of NaN, or none
                int specials = i < 4 ? 7 : SPECIAL.length;
                check(rows, columns, i % 2 == 0 ? GUARD : 16, specials);
            }
        }
    }

    private static void check(int rows, int columns, int guard, int specials) {
        LazyCode.off = true;
        int[] expected = bits(rows, columns, guard, specials, Long.MAX_VALUE, 1);
        LazyCode.off = false;
        for (long from : new long[] {0, Long.MAX_VALUE}) {
            for (int threads : new int[] {1, 3}) {
                int[] found = bits(rows, columns, guard, specials, from, threads);
                int at = Arrays.mismatch(expected, found);
                assertEquals(
                        -1,
                        at,
                        () ->
                                "%d x %d behind %d elements, %d special values, past the caches from %d bytes on, %d threads: element %d"
                                        .formatted(rows, columns, guard, specials, from, threads, at));
            }
        }
    }

    /** What softmax, its loss, plain and with weights and ignored rows, softmax in place and its gradient, apart and in place, leave in memory, then the losses. */
    private static int[] bits(int rows, int columns, int guard, int specials, long from, int threads) {
        StreamCode.least = from;
        int elements = rows * columns, padded = elements + 2 * guard;
        Shape shape = Shape.of(rows, columns);
        try (Backend backend = VectorBackend.open(threads);
                Tensor memory = values(1, PARTS * padded, 0);
                Tensor flat = values(2, elements, specials);
                Tensor labels = Tensor.allocate(DType.I32, Shape.of(rows));
                Tensor ignored = Tensor.allocate(DType.I32, Shape.of(rows));
                Tensor weights = Rng.of(41).fillUniform(Tensor.allocate(DType.F32, Shape.of(columns)), .5, 2);
                Tensor losses = Tensor.allocate(DType.F32, Shape.of(LOSSES))) {
            Tensor logits = flat.reshape(shape);
            for (int i = 0; i < rows; i++) {
                labels.set(i, i * 7 % columns);
                ignored.set(i, i % 3 == 1 ? -1 : i * 7 % columns);
            }
            Tensor[] parts = new Tensor[PARTS];
            for (int i = 0; i < PARTS; i++) {
                parts[i] = part(memory, i * padded + guard, shape);
            }
            Tensor y = parts[0];
            backend.run(Softmax.OP, new Softmax.Args(logits, y));
            for (int i = 0; i < LOSSES; i++) {
                boolean plain = i < 2;
                Tensor loss = losses.slice(0, i, i + 1).reshape(Shape.of());
                backend.run(
                        SoftmaxCrossEntropy.OP,
                        new SoftmaxCrossEntropy.Args(
                                logits,
                                plain ? labels : ignored,
                                plain ? null : weights,
                                loss,
                                parts[plain ? 1 : 2],
                                .1 * (i % 2),
                                -1));
            }
            parts[3].copyFrom(logits.toFloats());
            backend.run(Softmax.OP, new Softmax.Args(parts[3], parts[3]));
            backend.run(SoftmaxBackward.OP, new SoftmaxBackward.Args(y, logits, parts[4]));
            parts[5].copyFrom(logits.toFloats());
            backend.run(SoftmaxBackward.OP, new SoftmaxBackward.Args(y, parts[5], parts[5]));
            parts[6].copyFrom(y.toFloats());
            backend.run(SoftmaxBackward.OP, new SoftmaxBackward.Args(parts[6], logits, parts[6]));
            int written = PARTS * padded;
            int[] bits = new int[written + LOSSES];
            for (int i = 0; i < bits.length; i++) {
                long at = i < written ? memory.address() + 4L * i : losses.address() + 4L * (i - written);
                bits[i] = Float.floatToIntBits(Floats.get(at)); // any NaN as one
            }
            return bits;
        }
    }

    private static Tensor part(Tensor memory, int from, Shape shape) {
        return memory.slice(0, from, from + shape.elements()).reshape(shape);
    }

    private static Tensor values(int stream, int elements, int specials) {
        Tensor tensor = Rng.of(37).stream(stream).fillUniform(Tensor.allocate(DType.F32, Shape.of(elements)), -9, 9);
        for (int i = stream; specials > 0 && i < elements; i += 97) {
            tensor.set(i, SPECIAL[(i / 97 + stream) % specials]);
        }
        return tensor;
    }
}
