package io.quern.tensor;

/**
 * Randomness as a function of (seed, stream, step, index): the same bits on every backend, for any number of threads
 * and any vector width. Immutable; there is no state to save except the four numbers.
 *
 * <p>Philox key = seed (low, high); counter = (block low, block high, step, stream). Element i of 16-bit draws is lane
 * i mod 8 of block i / 8 (low half of word 0 first); element i of 32-bit draws is word i mod 4 of block i / 4.
 *
 * @param seed the run's seed
 * @param stream what the numbers are for: a layer, the shuffling, an initialiser
 * @param step the training step, 0 for what is drawn once
 */
public record Rng(long seed, int stream, int step) {

    public static Rng of(long seed) {
        return new Rng(seed, 0, 0);
    }

    public Rng stream(int newStream) {
        return new Rng(seed, newStream, step);
    }

    public Rng step(int newStep) {
        return new Rng(seed, stream, newStep);
    }

    private void block(long block, int[] out) {
        Philox.block((int) block, (int) (block >>> 32), step, stream, (int) seed, (int) (seed >>> 32), out);
    }

    /** Draw {@code index} of 32 bits. */
    public int bits32(long index) {
        int[] words = new int[4];
        block(index >>> 2, words);
        return words[(int) (index & 3)];
    }

    /** Draw {@code index} of 16 bits, 0..65535. */
    public int bits16(long index) {
        int[] words = new int[4];
        block(index >>> 3, words);
        return words[(int) (index >>> 1 & 3)] >>> ((int) (index & 1) << 4) & 0xffff;
    }

    /** Uniform in [0, 1), a multiple of 2^-24. */
    public float uniform(long index) {
        return (bits32(index) >>> 8) * 0x1p-24f;
    }

    /** Uniform integer in [0, bound), bound at most 2^31 - 1; bias below 2^-32 of the bound. */
    public int below(long index, int bound) {
        return (int) ((bits32(index) & 0xffffffffL) * bound >>> 32);
    }

    /** Standard normal by inversion of (k + 1/2) 2^-32; basic IEEE operations only, so every backend gets the same bits. */
    public double normal(long index) {
        return Normal.quantile(((bits32(index) & 0xffffffffL) + 0.5) * 0x1p-32);
    }

    /** Fills a host tensor with uniform numbers in [low, high); rounding to the target's dtype may reach high. */
    public Tensor fillUniform(Tensor target, double low, double high) {
        for (long i = 0; i < target.elements(); i++) {
            target.set(i, low + (high - low) * uniform(i));
        }
        return target;
    }

    /** Fills a host tensor with normal numbers. */
    public Tensor fillNormal(Tensor target, double mean, double deviation) {
        for (long i = 0; i < target.elements(); i++) {
            target.set(i, mean + deviation * normal(i));
        }
        return target;
    }

    /** A permutation of 0..n-1 (Fisher and Yates), a function of this generator. */
    public int[] permutation(int n) {
        int[] order = new int[n];
        for (int i = 0; i < n; i++) {
            int j = below(i, i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }
}
