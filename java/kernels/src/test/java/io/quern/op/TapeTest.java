package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Memory;
import io.quern.tensor.QuernException;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import org.junit.jupiter.api.Test;

class TapeTest {
    private static void onTape(java.util.function.Consumer<Tape> body) {
        long blocks = Memory.host().liveBlocks();
        try (Backend backend = Backends.of("reference", 1);
                Workspace workspace = new Workspace(Memory.host())) {
            body.accept(new Tape(backend, workspace));
        }
        assertEquals(blocks, Memory.host().liveBlocks(), "host memory leaked");
    }

    @Test
    void aValueUsedTwiceGetsBothGradients() {
        onTape(tape -> {
            try (Tensor x = tape.watch(Tensor.of(Shape.of(2), 3, 5))) {
                // y = sum(2 x + x + x): the gradient is 4 everywhere
                Tensor y = Add.apply(tape, Add.apply(tape, Scale.apply(tape, x, 2), x), x);
                Gradients gradients = tape.backward(Reduce.apply(tape, y, ReduceKind.SUM, 0, 0));
                assertArrayEquals(new float[] {4, 4}, gradients.of(x).toFloats());
            }
        });
    }

    @Test
    void aSharedGradientIsNotChangedByOneOfItsReaders() {
        onTape(tape -> {
            try (Tensor a = tape.watch(Tensor.of(Shape.of(1), 1));
                    Tensor b = tape.watch(Tensor.of(Shape.of(1), 1))) {
                // a + b hands the same gradient to both; a's second use must not leak into b
                Tensor sum = Add.apply(tape, Scale.apply(tape, a, 10), Add.apply(tape, a, b));
                Gradients gradients = tape.backward(sum);
                assertEquals(11, gradients.of(a).item());
                assertEquals(1, gradients.of(b).item());
            }
        });
    }

    @Test
    void gradientsPassThroughViews() {
        onTape(tape -> {
            try (Tensor x = tape.watch(Tensor.of(Shape.of(2, 2), 1, 2, 3, 4))) {
                Tensor flat = tape.reshape(x, Shape.of(4));
                Tensor loss =
                        Reduce.apply(tape, Activation.apply(tape, flat, ActivationKind.NONE), ReduceKind.SUM, 0, 0);
                assertEquals(Shape.of(2, 2), tape.backward(loss).of(x).shape());
            }
        });
    }

    @Test
    void gradientsLieWhereTheyAreWanted() {
        onTape(tape -> {
            try (Tensor twice = tape.watch(Tensor.of(Shape.of(2), 3, 5));
                    Tensor handedOn = tape.watch(Tensor.of(Shape.of(2), 1, 1));
                    Tensor unused = tape.watch(Tensor.of(Shape.of(2), 1, 1));
                    Tensor d1 = Tensor.of(Shape.of(2), -7, -7);
                    Tensor d2 = Tensor.of(Shape.of(2), -7, -7);
                    Tensor d3 = Tensor.of(Shape.of(2), -7, -7)) {
                // y = sum(2 t + t + h); the gradient of h is handed on by the sum and belongs to t's as well
                Tensor y = Add.apply(tape, Scale.apply(tape, twice, 2), Add.apply(tape, twice, handedOn));
                Gradients gradients = tape.backward(
                        Reduce.apply(tape, y, ReduceKind.SUM, 0, 0),
                        java.util.Map.of(twice, d1, handedOn, d2, unused, d3));
                assertArrayEquals(new float[] {3, 3}, d1.toFloats());
                assertArrayEquals(new float[] {1, 1}, d2.toFloats());
                assertArrayEquals(new float[] {-7, -7}, d3.toFloats(), "no gradient reached it");
                assertTrue(gradients.of(twice).sameWindow(d1)
                        && gradients.of(handedOn).sameWindow(d2));
                assertFalse(gradients.has(unused));
            }
        });
    }

    @Test
    void onlyWhatIsTrackedIsRecorded() {
        onTape(tape -> {
            try (Tensor x = Tensor.of(Shape.of(1), 1)) {
                Tensor y = Scale.apply(tape, x, 2);
                assertFalse(tape.tracks(y));
                assertTrue(tape.entries().isEmpty());
                assertThrows(ArgumentException.class, () -> tape.backward(y).of(x));
            }
        });
    }

    @Test
    void anOpWithoutAPropagationRuleIsAnError() {
        onTape(tape -> {
            try (Tensor x = tape.watch(Tensor.of(Shape.of(1), 1))) {
                Tensor y = Scale.apply(tape, x, 2);
                Gradients relevance = tape.backward(y);
                QuernException e = assertThrows(
                        QuernException.class,
                        () -> tape.entries().getFirst().propagate(() -> "LRP-epsilon", relevance));
                assertTrue(e.getMessage().contains("Scale has no propagation rule for LRP-epsilon"), e.getMessage());
            }
        });
    }
}
