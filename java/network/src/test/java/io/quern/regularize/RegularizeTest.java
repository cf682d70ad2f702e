package io.quern.regularize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.op.Tape;
import io.quern.regularize.EarlyStopping.Score;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Memory;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RegularizeTest {
    /** 0.5 sign(w) + 2 w on top of a gradient of 10; the sign of 0 is 0. */
    @ParameterizedTest
    @ValueSource(strings = {"reference", "auto"})
    void penaltiesAddTheirGradients(String name) {
        try (Backend backend = Backends.of(name, 1);
                Workspace workspace = new Workspace(Memory.host());
                Tensor w = Tensor.of(Shape.of(5), 3, -4, 0, -0f, 0.25f);
                Tensor g = Tensor.of(Shape.of(5), 10, 10, 10, 10, 10)) {
            Tape tape = new Tape(backend, workspace);
            new WeightPenalty(0.5, 0).addGradient(tape, w, g);
            assertArrayEquals(new float[] {10.5f, 9.5f, 10, 10, 10.5f}, g.toFloats());
            new WeightPenalty(0, 2).addGradient(tape, w, g);
            assertArrayEquals(new float[] {16.5f, 1.5f, 10, 10, 11}, g.toFloats());
            new WeightPenalty(0.5, 2).addGradient(tape, w, g);
            assertArrayEquals(new float[] {23, -7, 10, 10, 12}, g.toFloats());
            WeightPenalty.NONE.addGradient(tape, w, g);
            assertArrayEquals(new float[] {23, -7, 10, 10, 12}, g.toFloats());
        }
    }

    @Test
    void improvementMustExceedTheDelta() {
        EarlyStopping loss = new EarlyStopping(Score.LOSS, 2, 0.1, true);
        assertTrue(loss.improves(5, Double.NaN), "the first score");
        assertTrue(loss.improves(0.8, 1));
        assertFalse(loss.improves(0.95, 1));
        assertFalse(loss.improves(Double.NaN, 1));
        assertFalse(loss.improves(Double.NaN, Double.NaN));
        EarlyStopping accuracy = new EarlyStopping(Score.ACCURACY, 2, 0, true);
        assertTrue(accuracy.improves(0.81, 0.8));
        assertFalse(accuracy.improves(0.8, 0.8));
    }

    @Test
    void settingsThatMakeNoSenseAreRefused() {
        assertThrows(ArgumentException.class, () -> new EarlyStopping(0));
        assertThrows(ArgumentException.class, () -> new EarlyStopping(Score.LOSS, 1, -1, true));
        assertThrows(ArgumentException.class, () -> new WeightPenalty(-1, 0));
        assertThrows(ArgumentException.class, () -> new WeightPenalty(0, Double.NaN));
    }
}
