package io.quern.data;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.util.List;

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
            if (index < 0 || index >= source.size()) {
                throw new ArgumentException("sample " + index + " is outside a data set of " + source.size());
            }
        }
        return new Subset(source, copy);
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
