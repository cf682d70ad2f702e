package io.quern.data;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;

/** Some samples of another data set, in a given order. */
public final class Subset implements Dataset {
    private final Dataset source;
    private final int[] indices;

    private Subset(Dataset source, int[] indices) {
        this.source = source;
        this.indices = indices;
    }

    /** The samples with these indices; an index may occur more than once. */
    public static Subset of(Dataset source, int... indices) {
        int[] copy = indices.clone();
        for (int index : copy) {
            SampleIndex.check(index, source.size());
        }
        return new Subset(source, copy);
    }

    /**
     * The first {@code count} samples, or all when there are no more. Where the samples are sorted by class, as in folders
     * of images, the classes take turns; else the first ones would be of one class.
     */
    public static Dataset first(Dataset source, int count) {
        if (count < 0) {
            throw new ArgumentException("limit is " + count + ", expected 0 or more samples");
        }
        if (count >= source.size()) {
            return source;
        }
        return new Subset(source, Arrays.copyOf(isSortedByClass(source) ? inTurn(source) : inOrder(source), count));
    }

    private static boolean isSortedByClass(Dataset source) {
        for (int i = 1; i < source.size(); i++) {
            if (source.label(i) < source.label(i - 1)) {
                return false;
            }
        }
        return true;
    }

    private static int[] inOrder(Dataset source) {
        return IntStream.range(0, source.size()).toArray();
    }

    /** The first sample of each class, then the second of each, and so on. */
    private static int[] inTurn(Dataset source) {
        int[] seen = new int[source.classes()];
        int[] turn = IntStream.range(0, source.size())
                .map(i -> seen[source.label(i)]++)
                .toArray();
        return IntStream.range(0, source.size())
                .boxed()
                .sorted(Comparator.comparingInt(i -> turn[i]))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /**
     * At most {@code count} samples with the class proportions of the whole, a function of the seed. The whole data set
     * when it is no larger.
     */
    public static Dataset limit(Dataset source, int count, long seed) {
        if (count < 0) {
            throw new ArgumentException("limit is " + count + ", expected 0 or more samples");
        }
        return count >= source.size() ? source : new Subset(source, Stratified.choose(source, count, seed));
    }

    /** What this is a part of. */
    public Dataset source() {
        return source;
    }

    @Override
    public String formula() {
        if (source.formula().isEmpty()) {
            return "";
        }
        ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * indices.length);
        bytes.asIntBuffer().put(indices);
        CRC32C sum = new CRC32C();
        sum.update(bytes);
        return source.formula() + " samples " + indices.length + " sum " + Long.toHexString(sum.getValue());
    }

    /** The position in the source of sample {@code index}. */
    public int sourceIndex(int index) {
        return indices[index];
    }

    @Override
    public int size() {
        return indices.length;
    }

    @Override
    public Shape sampleShape() {
        return source.sampleShape();
    }

    @Override
    public List<String> classNames() {
        return source.classNames();
    }

    @Override
    public void read(int index, float[] destination, int offset) {
        source.read(indices[index], destination, offset);
    }

    @Override
    public int label(int index) {
        return source.label(indices[index]);
    }
}
