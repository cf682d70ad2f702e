package io.quern.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.op.SoftmaxCrossEntropy;
import io.quern.op.Tape;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import java.util.List;
import org.junit.jupiter.api.Test;

class LossTest {
    /** Two samples of two classes; softmax of (ln 3, 0) is (3/4, 1/4). */
    private static final float[] LOGITS = {(float) Math.log(3), 0, 0, 0};

    private static double value(Loss loss, float[] output, int... labels) {
        try (Backend backend = Backends.of("reference", 1);
                Workspace workspace = new Workspace(Memory.host())) {
            Tape tape = new Tape(backend, workspace);
            Tensor y = tape.allocate(DType.F32, Shape.of(labels.length, output.length / labels.length))
                    .copyFrom(output);
            Tensor t = tape.allocate(DType.I32, Shape.of(labels.length)).copyFrom(labels);
            return loss.apply(tape, y, t).item();
        }
    }

    @Test
    void crossEntropyIsMinusTheLogOfTheProbability() {
        assertEquals((-Math.log(0.75) + Math.log(2)) / 2, value(new CrossEntropyLoss(), LOGITS, 0, 1), 1e-6);
        assertEquals((-Math.log(0.25) + Math.log(2)) / 2, value(new CrossEntropyLoss(), LOGITS, 1, 1), 1e-6);
    }

    @Test
    void classWeightsWeighTheMean() {
        CrossEntropyLoss loss = new CrossEntropyLoss().withClassWeights(List.of(1.0, 3.0));
        assertEquals((-Math.log(0.75) + 3 * Math.log(2)) / 4, value(loss, LOGITS, 0, 1), 1e-6);
    }

    @Test
    void smoothingSpreadsTheTarget() {
        CrossEntropyLoss loss = new CrossEntropyLoss().withLabelSmoothing(0.2);
        double first = -0.9 * Math.log(0.75) - 0.1 * Math.log(0.25);
        assertEquals((first + Math.log(2)) / 2, value(loss, LOGITS, 0, 1), 1e-6);
    }

    @Test
    void ignoredSamplesCountForNothing() {
        CrossEntropyLoss loss = new CrossEntropyLoss();
        assertEquals(-Math.log(0.75), value(loss, LOGITS, 0, SoftmaxCrossEntropy.IGNORE), 1e-6);
        assertFalse(loss.counts(SoftmaxCrossEntropy.IGNORE));
        assertTrue(loss.counts(0));
    }

    /** ((0.5 - 1)^2 + 0^2 + 1^2 + (2 - 1)^2) / 4. */
    @Test
    void squaredErrorTakesLabelsAsOneHot() {
        assertEquals(2.25 / 4, value(new SquaredErrorLoss(), new float[] {0.5f, 0, 1, 2}, 0, 1), 1e-6);
        assertTrue(assertThrows(ArgumentException.class, () -> value(new SquaredErrorLoss(), LOGITS, 0, 2))
                .getMessage()
                .contains("label 2 of sample 1 is outside the 2 outputs"));
    }

    @Test
    void settingsThatMakeNoSenseAreRefused() {
        assertThrows(ArgumentException.class, () -> new CrossEntropyLoss().withLabelSmoothing(1.1));
        assertThrows(ArgumentException.class, () -> new CrossEntropyLoss().withClassWeights(List.of(-1.0)));
        assertThrows(ArgumentException.class, () -> new Sgd(1));
        assertThrows(ArgumentException.class, () -> new Sgd(0, true, 0));
        assertThrows(ArgumentException.class, () -> new AdamW(0.9, 1, 1e-8, 0));
        assertThrows(ArgumentException.class, () -> new AdamW(0.9, 0.99, 0, 0));
    }
}
