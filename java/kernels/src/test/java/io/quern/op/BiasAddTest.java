package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.backend.reference.ReferenceBackend;
import io.quern.tensor.Memory;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BiasAddTest {
    @Test
    void addsOneNumberPerChannelAndSumsItsGradientOverRows() {
        try (ReferenceBackend backend = new ReferenceBackend(1);
                Workspace workspace = new Workspace(Memory.host());
                Tensor x = Tensor.of(Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
                Tensor bias = Tensor.of(Shape.of(3), 10, 20, 30);
                Tensor seed = Tensor.of(Shape.of(2, 3), 1, 0, 2, 3, 0, 4)) {
            Tape tape = new Tape(backend, workspace);
            tape.watch(x);
            tape.watch(bias);
            Tensor y = BiasAdd.apply(tape, x, bias);
            assertArrayEquals(new float[] {11, 22, 33, 14, 25, 36}, y.toFloats());
            Gradients gradients = tape.backward(Map.of(y, seed));
            assertArrayEquals(new float[] {4, 0, 6}, gradients.of(bias).toFloats());
            assertArrayEquals(seed.toFloats(), gradients.of(x).toFloats());
        }
    }
}
