package io.quern.data;

import io.quern.tensor.Rng;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.stream.IntStream;

/** Seeded choice of samples that keeps the class proportions. */
final class Stratified {
    private Stratified() {}

    /** {@code count} indices in ascending order; each class gives its share, leftovers go by largest remainder. */
    static int[] choose(Dataset data, int count, long seed) {
        int[][] byClass = byClass(data);
        int[] quota = quotas(byClass, count, data.size());
        int[] chosen = new int[count];
        int filled = 0;
        for (int c = 0; c < byClass.length; c++) {
            int[] order = new Rng(seed, Streams.SPLIT, c).permutation(byClass[c].length);
            for (int i = 0; i < quota[c]; i++) {
                chosen[filled++] = byClass[c][order[i]];
            }
        }
        Arrays.sort(chosen);
        return chosen;
    }

    /** The indices 0..size-1 that are not in {@code chosen}, ascending. */
    static int[] others(int size, int[] chosen) {
        BitSet taken = new BitSet(size);
        for (int index : chosen) {
            taken.set(index);
        }
        return IntStream.range(0, size).filter(i -> !taken.get(i)).toArray();
    }

    private static int[][] byClass(Dataset data) {
        int[] counts = new int[data.classes()];
        for (int i = 0; i < data.size(); i++) {
            counts[data.label(i)]++;
        }
        int[][] members = new int[counts.length][];
        for (int c = 0; c < counts.length; c++) {
            members[c] = new int[counts[c]];
        }
        int[] next = new int[counts.length];
        for (int i = 0; i < data.size(); i++) {
            int label = data.label(i);
            members[label][next[label]++] = i;
        }
        return members;
    }

    private static int[] quotas(int[][] byClass, int count, int size) {
        int[] quota = new int[byClass.length];
        long[] remainder = new long[byClass.length];
        int left = count;
        for (int c = 0; c < byClass.length; c++) {
            long scaled = (long) byClass[c].length * count;
            quota[c] = size == 0 ? 0 : (int) (scaled / size);
            remainder[c] = size == 0 ? 0 : scaled % size;
            left -= quota[c];
        }
        int[] byRemainder = IntStream.range(0, quota.length)
                .boxed()
                .sorted(Comparator.comparingLong(c -> -remainder[c]))
                .mapToInt(Integer::intValue)
                .toArray();
        for (int i = 0; i < left; i++) {
            quota[byRemainder[i]]++;
        }
        return quota;
    }
}
