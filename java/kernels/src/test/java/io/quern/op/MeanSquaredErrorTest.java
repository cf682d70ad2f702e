package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.backend.reference.ReferenceBackend;
import io.quern.tensor.Memory;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import org.junit.jupiter.api.Test;

class MeanSquaredErrorTest {
    /** Differences 1, -3, 0, 4: mean of squares 26 / 4, gradient twice the difference over 4, opposite for the target. */
    @Test
    void isTheMeanOfSquaresWithTheirGradient() {
        try (ReferenceBackend backend = new ReferenceBackend(1);
                Workspace workspace = new Workspace(Memory.host());
                Tensor prediction = Tensor.of(Shape.of(2, 2), 2, -1, 5, 4);
                Tensor target = Tensor.of(Shape.of(2, 2), 1, 2, 5, 0)) {
            Tape tape = new Tape(backend, workspace);
            tape.watch(prediction);
            tape.watch(target);
            Tensor loss = MeanSquaredError.apply(tape, prediction, target);
            assertEquals(6.5, loss.item());
            Gradients gradients = tape.backward(loss);
            assertArrayEquals(
                    new float[] {0.5f, -1.5f, 0, 2}, gradients.of(prediction).toFloats());
            assertArrayEquals(
                    new float[] {-0.5f, 1.5f, 0, -2}, gradients.of(target).toFloats());
        }
    }
}
