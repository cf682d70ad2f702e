package io.quern.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RngTest {
    private static final Rng RNG = new Rng(0x299f31d0a4093822L, 0x03707344, 0x13198a2e);

    /** The third known answer of Random123: key, step and stream are its key and upper counter. */
    @Test
    void drawsAreTheWordsOfAPhiloxBlock() {
        long block = 0x85a308d3243f6a88L & Long.MAX_VALUE >>> 2;
        int[] words = new int[4];
        Philox.block((int) block, (int) (block >>> 32), RNG.step(), RNG.stream(), 0xa4093822, 0x299f31d0, words);
        for (int i = 0; i < 4; i++) {
            assertEquals(words[i], RNG.bits32(4 * block + i));
        }
    }

    @Test
    void twoDrawsOf16BitsShareAWordLowHalfFirst() {
        for (int i = 0; i < 64; i++) {
            int word = RNG.bits32(i);
            assertEquals(word & 0xffff, RNG.bits16(2 * i));
            assertEquals(word >>> 16, RNG.bits16(2 * i + 1));
        }
    }

    @Test
    void seedStreamAndStepEachChangeTheDraws() {
        int[] draws = {
            RNG.bits32(0),
            RNG.stream(1).bits32(0),
            RNG.step(1).bits32(0),
            new Rng(1, RNG.stream(), RNG.step()).bits32(0),
            new Rng(RNG.seed() ^ 1L << 40, RNG.stream(), RNG.step()).bits32(0)
        };
        assertEquals(draws.length, Arrays.stream(draws).distinct().count());
    }

    /** Mean of 100 000 uniforms: 1/2 with a standard deviation of 0.0009. */
    @Test
    void uniformsFillTheUnitInterval() {
        double sum = 0;
        for (int i = 0; i < 100_000; i++) {
            float u = RNG.uniform(i);
            assertTrue(u >= 0 && u < 1);
            sum += u;
        }
        assertEquals(0.5, sum / 100_000, 0.0045);
    }

    /** Each of 7 values 10 000 times in 70 000 draws, standard deviation 93. */
    @Test
    void boundedIntegersAreEquallyLikely() {
        int[] counts = new int[7];
        IntStream.range(0, 70_000).forEach(i -> counts[RNG.below(i, 7)]++);
        for (int count : counts) {
            assertEquals(10_000, count, 460);
        }
    }

    /** Standard deviations: mean 0.0032, variance 0.0045, fourth moment 0.031. */
    @Test
    void normalsHaveTheirMoments() {
        double mean = 0;
        double square = 0;
        double fourth = 0;
        int n = 100_000;
        for (int i = 0; i < n; i++) {
            double z = RNG.normal(i);
            mean += z / n;
            square += z * z / n;
            fourth += z * z * z * z / n;
        }
        assertEquals(0, mean, 0.016);
        assertEquals(1, square, 0.023);
        assertEquals(3, fourth, 0.16);
    }

    @Test
    void aPermutationHoldsEachNumberOnce() {
        int[] order = RNG.permutation(1000);
        assertFalse(Arrays.equals(order, IntStream.range(0, 1000).toArray()));
        assertArrayEquals(order, RNG.permutation(1000));
        Arrays.sort(order);
        assertArrayEquals(IntStream.range(0, 1000).toArray(), order);
        assertEquals(0, RNG.permutation(0).length);
    }

    /** 6 orders of 3 in 6000 permutations, each 1000 times with standard deviation 29. */
    @Test
    void allPermutationsAreEquallyLikely() {
        int[] counts = new int[27];
        for (int step = 0; step < 6000; step++) {
            int[] order = RNG.step(step).permutation(3);
            counts[9 * order[0] + 3 * order[1] + order[2]]++;
        }
        int[] seen = Arrays.stream(counts).filter(count -> count > 0).toArray();
        assertEquals(6, seen.length);
        for (int count : seen) {
            assertEquals(1000, count, 145);
        }
    }
}
