package io.quern.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.Rng;
import org.junit.jupiter.api.Test;

class AurocTest {
    private static boolean[] labels(int... ones) {
        boolean[] labels = new boolean[ones.length];
        for (int i = 0; i < ones.length; i++) {
            labels[i] = ones[i] == 1;
        }
        return labels;
    }

    @Test
    void theShareOfPairsInTheRightOrder() {
        assertEquals(0.75, Auroc.binary(new double[] {0.1, 0.4, 0.35, 0.8}, labels(0, 0, 1, 1)));
        assertEquals(1, Auroc.binary(new double[] {1, 2, 3, 4}, labels(0, 0, 1, 1)));
        assertEquals(0, Auroc.binary(new double[] {4, 3, 2, 1}, labels(0, 0, 1, 1)));
    }

    /** Pairs (positive, negative): 0.5 ties with 0.5, beats 0.2; 0.9 beats both: 3.5 of 4. */
    @Test
    void tiesCountOneHalf() {
        assertEquals(3.5 / 4, Auroc.binary(new double[] {0.5, 0.2, 0.5, 0.9}, labels(0, 0, 1, 1)));
        assertEquals(0.5, Auroc.binary(new double[] {7, 7, 7, 7, 7}, labels(0, 1, 0, 1, 1)));
    }

    @Test
    void oneClassAloneOrNanHasNone() {
        assertTrue(Double.isNaN(Auroc.binary(new double[] {1, 2}, labels(1, 1))));
        assertTrue(Double.isNaN(Auroc.binary(new double[] {1, Double.NaN}, labels(0, 1))));
        assertTrue(Double.isNaN(Auroc.binary(new double[0], labels())));
    }

    @Test
    void agreesWithCountingAllPairs() {
        Rng rng = Rng.of(1);
        double[] scores = new double[200];
        boolean[] positive = new boolean[200];
        for (int i = 0; i < 200; i++) {
            scores[i] = rng.below(i, 20);
            positive[i] = rng.stream(1).below(i, 3) == 0;
        }
        double won = 0;
        double pairs = 0;
        for (int p = 0; p < 200; p++) {
            for (int n = 0; n < 200; n++) {
                if (positive[p] && !positive[n]) {
                    won += scores[p] > scores[n] ? 1 : scores[p] == scores[n] ? 0.5 : 0;
                    pairs++;
                }
            }
        }
        assertEquals(won / pairs, Auroc.binary(scores, positive), 1e-12);
    }

    /** Class 0: positives {0.8, 0.4} over {0.3, 0.5, 0.1}: 5 of 6. Class 1: {0.5} over all: 1. Class 2: 0.6 over all, 0.2: 6 of 6. */
    @Test
    void oneVsRestIsTheMeanOverClassesThatOccur() {
        double[][] scores = {
            {0.8, 0.1, 0.1, 0}, {0.4, 0.4, 0.2, 0}, {0.3, 0.5, 0.2, 0}, {0.5, 0.1, 0.4, 0}, {0.1, 0.3, 0.6, 0}
        };
        assertEquals((5 / 6.0 + 1 + 1) / 3, Auroc.oneVsRest(scores, new int[] {0, 0, 1, 2, 2}), 1e-15);
        assertTrue(Double.isNaN(Auroc.oneVsRest(scores, new int[] {1, 1, 1, 1, 1})));
    }
}
