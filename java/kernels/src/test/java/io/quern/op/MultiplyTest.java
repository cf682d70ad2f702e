package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.quern.backend.reference.ReferenceBackend;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Memory;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MultiplyTest {
    @Test
    void multipliesElements() {
        try (Tensor a = Tensor.of(Shape.of(3), 1, -2, 3);
                Tensor b = Tensor.of(Shape.of(3), 10, 20, 0.5f)) {
            Multiply.OP.reference(new Multiply.Args(a, b, a));
            assertArrayEquals(new float[] {10, -40, 1.5f}, a.toFloats());
        }
    }

    @Test
    void theGradientOfASquareIsTwiceTheFactor() {
        try (ReferenceBackend backend = new ReferenceBackend(1);
                Workspace workspace = new Workspace(Memory.host());
                Tensor x = Tensor.of(Shape.of(2), 3, -5);
                Tensor seed = Tensor.of(Shape.of(2), 1, 10)) {
            Tape tape = new Tape(backend, workspace);
            tape.watch(x);
            Gradients gradients = tape.backward(Map.of(Multiply.apply(tape, x, x), seed));
            assertArrayEquals(new float[] {6, -100}, gradients.of(x).toFloats());
        }
    }

    @Test
    void aProductInPlaceHasNoGradient() {
        try (ReferenceBackend backend = new ReferenceBackend(1);
                Workspace workspace = new Workspace(Memory.host());
                Tensor a = Tensor.of(Shape.of(2), 3, -5);
                Tensor b = Tensor.of(Shape.of(2), 1, 10)) {
            Tape tape = new Tape(backend, workspace);
            tape.watch(b);
            tape.run(Multiply.OP, new Multiply.Args(a, b, a));
            assertThrows(ArgumentException.class, () -> tape.backward(Map.of(a, b)));
        }
    }
}
