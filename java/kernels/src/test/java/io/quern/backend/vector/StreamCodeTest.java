package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.StreamBits.check;
import static io.quern.backend.vector.StreamBits.finite;
import static io.quern.backend.vector.StreamBits.random;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.WorkerPool;
import io.quern.op.Activation;
import io.quern.op.ActivationBackward;
import io.quern.op.ActivationKind;
import io.quern.op.Add;
import io.quern.op.BatchNormBackward;
import io.quern.op.BatchNormInference;
import io.quern.op.BiasAdd;
import io.quern.op.Broadcast;
import io.quern.op.Cast;
import io.quern.op.Embedding;
import io.quern.op.EmbeddingBackward;
import io.quern.op.Fill;
import io.quern.op.MeanSquaredErrorBackward;
import io.quern.op.Multiply;
import io.quern.op.Scale;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Loops in machine code write the bits of the kernels' loops in Java. */
class StreamCodeTest {
    /** Blocks of 16384 elements, whole vectors, and ends of 1 to 15 elements. */
    private static final int[] COUNTS = {1, 15, 16, 17, 64, 1000, 16384, 16385, 50_003};

    private long least;

    @BeforeEach
    void needsAvx512() {
        least = StreamCode.least;
        MachineCodeAssumption.needs(() -> isThere(0) && isThere(Long.MAX_VALUE), "streams");
    }

    /** @param from bytes from which on results pass by the caches */
    private static boolean isThere(long from) {
        StreamCode.least = from;
        return copy().repeats(16, 16, 64, 0, 0);
    }

    @AfterEach
    void bound() {
        LazyCode.off = false;
        StreamCode.least = least;
    }

    private static StreamCode copy() {
        return StreamCode.of(step -> {
            step.load(0, StreamAssembler.A);
            step.store(0);
        });
    }

    @Test
    void embedding() {
        for (int width : new int[] {64, 250, 272, 768}) {
            try (Tensor indices = Tensor.allocate(DType.I32, Shape.of(999));
                    Tensor table = random(24, DType.F32, Shape.of(811, width))) {
                for (int i = 0; i < 999; i++) {
                    indices.set(i, i * i % 811);
                }
                check(
                        "Embedding",
                        Embedding.OP,
                        DType.F32,
                        Shape.of(999, width),
                        y -> new Embedding.Args(table, indices, y));
            }
        }
    }

    /** A large table is cleared first, by all threads; rows are met often, once and never. */
    @Test
    void embeddingBackward() {
        for (int width : new int[] {1, 64, 250}) {
            try (Tensor indices = Tensor.allocate(DType.I32, Shape.of(999));
                    Tensor dy = random(23, DType.F32, Shape.of(999, width))) {
                for (int i = 0; i < 999; i++) {
                    indices.set(i, i % 3 == 0 ? 7 : i * i % 811);
                }
                check(
                        "EmbeddingBackward",
                        EmbeddingBackward.OP,
                        DType.F32,
                        Shape.of(900, width),
                        y -> new EmbeddingBackward.Args(indices, dy, y));
            }
        }
    }

    /** All but the last partial vector: else the other tests would compare Java with Java. */
    @Test
    void servesWholeVectorsOfManyBlocks() {
        int elements = 600_003;
        Queue<List<Long>> rest = new ConcurrentLinkedQueue<>();
        StreamCode.least = 0;
        try (WorkerPool pool = new WorkerPool(3);
                Tensor a = finite(20, Shape.of(elements));
                Tensor y = Tensor.allocate(DType.F32, a.shape())) {
            copy().run(
                            pool,
                            (from, count) -> rest.add(List.of(from, (long) count)),
                            elements,
                            y.address(),
                            a.address(),
                            0,
                            0);
            float[] expected = a.toFloats();
            Arrays.fill(expected, elements - 3, elements, 0);
            assertArrayEquals(expected, y.toFloats());
            assertEquals(List.of(List.of(elements - 3L, 3L)), List.copyOf(rest));
        }
    }

    @Test
    void servesWholePeriodsOfManyBlocks() {
        int period = 272, elements = 2048 * period + 100;
        Queue<List<Long>> rest = new ConcurrentLinkedQueue<>();
        StreamCode sum = StreamCode.withFactors(1, step -> {
            step.load(0, StreamAssembler.A);
            step.add(0, 0, StreamAssembler.FACTOR);
            step.store(0);
        });
        StreamCode.least = 0;
        try (WorkerPool pool = new WorkerPool(3);
                Tensor a = finite(21, Shape.of(elements));
                Tensor factors = finite(22, Shape.of(period));
                Tensor y = Tensor.allocate(DType.F32, a.shape())) {
            assertTrue(sum.repeats(elements, period, y.address(), a.address(), 0));
            sum.repeat(
                    pool,
                    (from, count) -> rest.add(List.of(from, (long) count)),
                    elements,
                    period,
                    y.address(),
                    a.address(),
                    0,
                    factors.address());
            float[] expected = a.toFloats(), f = factors.toFloats();
            for (int i = 0; i < elements; i++) {
                expected[i] = i < elements - 100 ? expected[i] + f[i % period] : 0;
            }
            assertArrayEquals(expected, y.toFloats());
            assertEquals(List.of(List.of(elements - 100L, 100L)), List.copyOf(rest));
        }
    }

    /** A result may be one of the sources, and then stays in the caches. */
    @Test
    void inPlace() {
        for (int count : COUNTS) {
            for (long from : new long[] {0, Long.MAX_VALUE}) {
                StreamCode.least = from;
                try (WorkerPool pool = new WorkerPool(3);
                        Tensor y = finite(20, Shape.of(count))) {
                    float[] expected = y.toFloats();
                    for (int i = 0; i < count / 16 * 16; i++) {
                        expected[i] += expected[i];
                    }
                    StreamCode doubled = StreamCode.of(step -> {
                        step.load(0, StreamAssembler.A);
                        step.add(0, 0, StreamAssembler.B);
                        step.store(0);
                    });
                    doubled.run(pool, (i, some) -> {}, count, y.address(), y.address(), y.address(), 0);
                    assertArrayEquals(expected, y.toFloats(), count + " elements");
                }
            }
        }
    }

    @Test
    void leavesTheRestToJava() {
        StreamCode code = copy();
        for (long from : new long[] {0, Long.MAX_VALUE}) {
            StreamCode.least = from;
            assertTrue(code.repeats(1000, 16, 128, 64, 256));
            assertTrue(code.repeats(1000, 16, 128, 128, 256), "in place");
            assertTrue(code.repeats(1000, 16, 160, 64, 256), "half a line behind one");
            assertFalse(code.repeats(1000, 24, 128, 64, 256), "24 is no multiple of a vector");
            assertFalse(code.repeats(1000, 0, 128, 64, 256), "no period");
            assertFalse(code.repeats(1000, 1008, 128, 64, 256), "less than a period");
            assertEquals(from == 0, code.repeats(1 << 20, 1 << 15, 128, 64, 256), "more than a block");
            LazyCode.off = true;
            assertFalse(code.repeats(1000, 16, 128, 64, 256), "no machine code");
            LazyCode.off = false;
        }
    }

    @Test
    void elementwise() {
        for (int count : COUNTS) {
            Shape shape = Shape.of(count);
            try (Tensor a = random(1, DType.F32, shape);
                    Tensor b = random(2, DType.F32, shape);
                    Tensor dy = Tensor.of(Shape.of(), 0.7f)) {
                check("fill", Fill.OP, DType.F32, shape, y -> new Fill.Args(y, -1.75));
                check("scale", Scale.OP, DType.F32, shape, y -> new Scale.Args(a, y, 0.3));
                check("add", Add.OP, DType.F32, shape, y -> new Add.Args(a, b, y));
                check("multiply", Multiply.OP, DType.F32, shape, y -> new Multiply.Args(a, b, y));
                check(
                        "mean squared error, backward",
                        MeanSquaredErrorBackward.OP,
                        DType.F32,
                        shape,
                        y -> new MeanSquaredErrorBackward.Args(a, b, dy, y));
            }
        }
    }

    @Test
    void activations() {
        for (int count : COUNTS) {
            Shape shape = Shape.of(count);
            try (Tensor a = random(3, DType.F32, shape);
                    Tensor b = random(4, DType.F32, shape)) {
                for (ActivationKind kind : ActivationKind.values()) {
                    check(kind.name(), Activation.OP, DType.F32, shape, y -> new Activation.Args(a, y, kind));
                    check(
                            kind + ", backward",
                            ActivationBackward.OP,
                            DType.F32,
                            shape,
                            y -> new ActivationBackward.Args(a, b, y, kind));
                }
            }
        }
    }

    @Test
    void casts() {
        for (int count : COUNTS) {
            Shape shape = Shape.of(count);
            for (DType other : new DType[] {DType.BF16, DType.F64}) {
                try (Tensor narrow = random(5, DType.F32, shape);
                        Tensor wide = random(6, other, shape)) {
                    check("F32 to " + other, Cast.OP, other, shape, y -> new Cast.Args(narrow, y));
                    check(other + " to F32", Cast.OP, DType.F32, shape, y -> new Cast.Args(wide, y));
                }
            }
        }
    }

    /** Rows that begin anywhere in a cache line, longer and shorter than one. */
    @Test
    void rows() {
        for (int columns : new int[] {1, 7, 16, 100, 256, 1000, 1024, 1030, 1040}) {
            for (int rows : new int[] {1, 3, 64}) {
                Shape shape = Shape.of(rows, columns);
                try (Tensor x = random(7, DType.F32, shape);
                        Tensor row = random(8, DType.F32, Shape.of(columns))) {
                    check("bias", BiasAdd.OP, DType.F32, shape, y -> new BiasAdd.Args(x, row, y));
                    check("broadcast", Broadcast.OP, DType.F32, shape, y -> new Broadcast.Args(row, y, 0.5, 0, 0));
                }
            }
        }
    }

    @Test
    void batchNormalization() {
        for (int channels : new int[] {1, 3, 16, 80, 256, 272}) {
            for (int rows : new int[] {1, 37, 300}) {
                Shape shape = Shape.of(rows, channels);
                try (Tensor x = finite(10, shape);
                        Tensor dy = finite(11, shape);
                        Tensor factors = finite(12, Shape.of(4, channels));
                        Tensor sums = finite(13, Shape.of(2, channels))) {
                    Tensor[] f = new Tensor[4];
                    for (int i = 0; i < f.length; i++) {
                        f[i] = factors.slice(0, i, i + 1).reshape(channels);
                    }
                    check(
                            "normalization",
                            BatchNormInference.OP,
                            DType.F32,
                            shape,
                            y -> new BatchNormInference.Args(x, f[0], f[1], f[2], f[3], y, 1e-5));
                    Tensor dgamma = sums.slice(0, 0, 1).reshape(channels);
                    Tensor dbeta = sums.slice(0, 1, 2).reshape(channels);
                    check(
                            "its gradient",
                            BatchNormBackward.OP,
                            DType.F32,
                            shape,
                            dx -> new BatchNormBackward.Args(x, dy, f[0], f[2], f[3], dx, dgamma, dbeta));
                }
            }
        }
    }

    /** Where NaN becomes a quiet one, and what lies exactly between two BF16. */
    @Test
    void everyUpperHalfOfAFloat() {
        int[] lower = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
        Shape shape = Shape.of(lower.length << 16);
        try (Tensor x = Tensor.allocate(DType.F32, shape)) {
            for (int i = 0; i < shape.elements(); i++) {
                int bits = i / lower.length << 16 | lower[i % lower.length];
                ALL.set(ValueLayout.JAVA_INT_UNALIGNED, x.address() + 4L * i, bits);
            }
            check("F32 to BF16", Cast.OP, DType.BF16, shape, y -> new Cast.Args(x, y));
            check("F32 to F64", Cast.OP, DType.F64, shape, y -> new Cast.Args(x, y));
            check("relu", Activation.OP, DType.F32, shape, y -> new Activation.Args(x, y, ActivationKind.RELU));
        }
    }
}
