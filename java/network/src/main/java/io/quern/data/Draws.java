package io.quern.data;

import io.quern.tensor.Philox;
import io.quern.tensor.Rng;

/** The draws of an {@link Rng} one after the other: word i is {@code rng.bits32(i)}. Not thread-safe. */
final class Draws {
    private final Rng rng;
    private final int[] words = new int[4];
    private int next;

    Draws(Rng rng) {
        this.rng = rng;
    }

    int bits() {
        if ((next & 3) == 0) {
            int low = (int) rng.seed();
            Philox.block(next >>> 2, 0, rng.step(), rng.stream(), low, (int) (rng.seed() >>> 32), words);
        }
        return words[next++ & 3];
    }

    /** Uniform in [low, high). */
    double between(double low, double high) {
        return low + (high - low) * ((bits() >>> 8) * 0x1p-24);
    }

    boolean chance(double probability) {
        return between(0, 1) < probability;
    }

    int below(int bound) {
        return (int) ((bits() & 0xffffffffL) * bound >>> 32);
    }

    /** Mean 0 and deviation 1, roughly normal: the sum of the four bytes of a word, scaled. Enough for pixel noise. */
    double roughlyNormal() {
        int word = bits();
        int sum = (word & 0xff) + (word >>> 8 & 0xff) + (word >>> 16 & 0xff) + (word >>> 24);
        return (sum - 510) / 147.8;
    }
}
