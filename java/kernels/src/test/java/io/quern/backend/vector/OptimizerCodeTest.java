package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.backend.Backend;
import io.quern.op.AdamWStep;
import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.op.SgdStep;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Steps of optimizers in machine code write the bits of their loops in Java. */
class OptimizerCodeTest {
    /** Partial vectors, calls and blocks of 16384 elements. */
    private static final int[] COUNTS = {1, 15, 16, 17, 1000, 8192, 8208, 16384, 16385, 50_003};
    /** Elements before and behind each stream, which no step may change. */
    private static final int GUARD = 37;

    private static final float[] SPECIAL = {
        0f, -0f, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.MIN_VALUE, Float.MAX_VALUE, 1e-30f
    };

    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(
                () -> {
                    try (Tensor x = Tensor.allocate(DType.F32, Shape.of(16))) {
                        return twice(x, 16) == 16;
                    }
                },
                "steps of optimizers");
    }

    @AfterEach
    void on() {
        LazyCode.off = false;
    }

    /** Doubles elements by a code of the test's own and returns how many it took. */
    private static int twice(Tensor x, int count) {
        OptimizerCode twice = new OptimizerCode(1, 1, code -> {
            code.multiplyVector(0, OptimizerCode.CONSTANT, OptimizerCode.stream(0));
            code.storeVector(0, OptimizerCode.stream(0), 0);
        });
        return twice.run(count, new float[] {2}, x.address());
    }

    private interface Step<A extends OpArgs> {
        A of(Tensor parameter, Tensor gradient, List<Tensor> state);
    }

    private static Tensor stream(int index, int count) {
        Tensor values = Rng.of(29).stream(index).fillUniform(Tensor.allocate(DType.F32, Shape.of(count)), -1, 1);
        for (int i = index; i < count; i += 23) {
            values.set(i, SPECIAL[(i / 23 + index) % SPECIAL.length]);
        }
        return values;
    }

    /** All streams, guards too; any NaN as one, since which of two an operation passes on is the compiler's choice. */
    private static <A extends OpArgs> int[] bits(Op<A> op, int states, Step<A> step, int count, int threads) {
        int padded = count + 2 * GUARD;
        List<Tensor> memory =
                IntStream.range(0, 2 + states).mapToObj(i -> stream(i, padded)).toList();
        List<Tensor> streams =
                memory.stream().map(t -> t.slice(0, GUARD, GUARD + count)).toList();
        try (Backend backend = VectorBackend.open(threads)) {
            for (int i = 0; i < 2; i++) {
                backend.run(op, step.of(streams.get(0), streams.get(1), streams.subList(2, 2 + states)));
            }
            return memory.stream()
                    .flatMapToInt(t -> IntStream.range(0, padded)
                            .map(i -> Float.floatToIntBits(
                                    ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, t.address() + 4L * i))))
                    .toArray();
        } finally {
            memory.forEach(Tensor::close);
        }
    }

    private static <A extends OpArgs> void check(String name, Op<A> op, int states, Step<A> step) {
        for (int count : COUNTS) {
            LazyCode.off = true;
            int[] expected = bits(op, states, step, count, 1);
            LazyCode.off = false;
            for (int threads : new int[] {1, 3}) {
                int[] found = bits(op, states, step, count, threads);
                int at = Arrays.mismatch(expected, found);
                assertEquals(
                        -1,
                        at,
                        () -> "%s of %d elements by %d threads, streams of %d in turn: element %d"
                                .formatted(name, count, threads, count + 2 * GUARD, at));
            }
        }
    }

    @Test
    void adamW() {
        check(
                "AdamW",
                AdamWStep.OP,
                2,
                (p, g, state) -> new AdamWStep.Args(p, g, state.get(0), state.get(1), 1e-2, .9, .999, 1e-8, .1, 3));
    }

    @Test
    void sgd() {
        check("SGD", SgdStep.OP, 0, (p, g, state) -> new SgdStep.Args(p, g, null, .1, 0, .01, false));
    }

    @Test
    void momentum() {
        for (boolean nesterov : new boolean[] {false, true}) {
            check(
                    nesterov ? "Nesterov's momentum" : "momentum",
                    SgdStep.OP,
                    1,
                    (p, g, state) -> new SgdStep.Args(p, g, state.get(0), .1, .9, .01, nesterov));
        }
    }

    /** Else the tests above would compare Java with Java. */
    @Test
    void doesWholeVectorsOfSeveralCalls() {
        int count = 20_005;
        try (Tensor x = Rng.of(30).fillUniform(Tensor.allocate(DType.F32, Shape.of(count)), -1, 1)) {
            float[] expected = x.toFloats();
            assertEquals(20_000, twice(x, count));
            for (int i = 0; i < count; i++) {
                assertEquals(i < 20_000 ? 2 * expected[i] : expected[i], (float) x.get(i), "element " + i);
            }
        }
    }
}
