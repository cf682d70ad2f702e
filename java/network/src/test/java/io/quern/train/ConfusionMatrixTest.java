package io.quern.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.ArgumentException;
import org.junit.jupiter.api.Test;

class ConfusionMatrixTest {
    private static ConfusionMatrix of(int classes, int[] actual, int[] predicted) {
        ConfusionMatrix matrix = new ConfusionMatrix(classes);
        for (int i = 0; i < actual.length; i++) {
            matrix.add(actual[i], predicted[i]);
        }
        return matrix;
    }

    /** Six samples of three classes: class 0 right 1 of 2, class 1 right 2 of 3, class 2 right 1 of 1. */
    @Test
    void countsAndRatiosByHand() {
        ConfusionMatrix m = of(3, new int[] {0, 0, 1, 1, 1, 2}, new int[] {0, 1, 1, 1, 2, 2});
        assertEquals(1, m.count(0, 1));
        assertEquals(1, m.count(1, 2));
        assertEquals(0, m.count(2, 1));
        assertEquals(3, m.actual(1));
        assertEquals(2, m.predicted(2));
        assertEquals(6, m.samples());
        assertEquals(4 / 6.0, m.accuracy());
        assertEquals(1.0, m.precision(0));
        assertEquals(0.5, m.recall(0));
        assertEquals(2 / 3.0, m.f1(0));
        assertEquals(2 / 3.0, m.precision(1));
        assertEquals(0.5, m.precision(2));
        assertEquals((1 + 2 / 3.0 + 0.5) / 3, m.macroPrecision(), 1e-15);
        assertEquals((0.5 + 2 / 3.0 + 1) / 3, m.macroRecall(), 1e-15);
        assertEquals((2 / 3.0 + 2 / 3.0 + 2 / 3.0) / 3, m.macroF1(), 1e-15);
    }

    @Test
    void whatNeverHappenedCountsAsZeroOrNotAtAll() {
        ConfusionMatrix m = of(4, new int[] {0, 0, 1}, new int[] {0, 2, 0});
        assertEquals(0, m.precision(1), "never predicted");
        assertEquals(0, m.recall(2), "never occurred");
        assertEquals((0.5 + 0 + 0) / 3, m.macroPrecision(), 1e-15, "class 3 is in neither");
        assertTrue(Double.isNaN(new ConfusionMatrix(2).accuracy()));
        assertTrue(Double.isNaN(new ConfusionMatrix(2).macroF1()));
    }

    @Test
    void aClassOutsideIsRefused() {
        ArgumentException e = assertThrows(ArgumentException.class, () -> new ConfusionMatrix(3).add(1, 3));
        assertEquals("class 3 is outside 0..2", e.getMessage());
    }
}
