package io.quern.tensor;

import java.util.Arrays;

/** The extents of a tensor, outermost axis first. Immutable. An extent may be 0; rank 0 is a scalar. */
public final class Shape {
    private static final int MAX_RANK = 8;
    private final long[] extents;
    private final long elements;

    private Shape(long[] extents) {
        if (extents.length > MAX_RANK) {
            throw new ArgumentException("shape has rank " + extents.length + ", at most " + MAX_RANK + " is supported");
        }
        // as if empty axes had one element: their strides must be in range as well, in whatever order the axes come
        long strideRange = 1;
        long product = 1;
        for (long extent : extents) {
            if (extent < 0) {
                throw new ArgumentException("shape " + Arrays.toString(extents) + " has a negative extent");
            }
            try {
                strideRange = Math.multiplyExact(strideRange, Math.max(1, extent));
            } catch (ArithmeticException e) {
                throw new ArgumentException(
                        "shape " + Arrays.toString(extents) + " exceeds 2^63 elements, empty axes counted as one");
            }
            product *= extent;
        }
        this.extents = extents;
        this.elements = product;
    }

    public static Shape of(long... extents) {
        return new Shape(extents.clone());
    }

    public int rank() {
        return extents.length;
    }

    /** Number of elements: the product of the extents, 1 for a scalar. */
    public long elements() {
        return elements;
    }

    /** Extent of an axis; negative axes count from the end. */
    public long size(int axis) {
        return extents[axis(axis)];
    }

    /** {@link #size} as an int. */
    public int dim(int axis) {
        long size = size(axis);
        if (size > Integer.MAX_VALUE) {
            throw new ArgumentException("axis " + axis + " of " + this + " exceeds the int range");
        }
        return (int) size;
    }

    /** Resolves a negative axis and checks its range. */
    public int axis(int axis) {
        int resolved = axis < 0 ? axis + extents.length : axis;
        if (resolved < 0 || resolved >= extents.length) {
            throw new ArgumentException("axis " + axis + " is outside shape " + this);
        }
        return resolved;
    }

    public long[] toArray() {
        return extents.clone();
    }

    /** Row-major strides, in elements. */
    public long[] contiguousStrides() {
        long[] strides = new long[extents.length];
        long stride = 1;
        for (int axis = extents.length - 1; axis >= 0; axis--) {
            strides[axis] = stride;
            stride *= Math.max(1, extents[axis]);
        }
        return strides;
    }

    /** This shape with one axis replaced. */
    public Shape with(int axis, long extent) {
        long[] copy = extents.clone();
        copy[axis(axis)] = extent;
        return new Shape(copy);
    }

    /** This shape with an axis put in front, e.g. the batch. */
    public Shape prepend(long extent) {
        long[] longer = new long[extents.length + 1];
        longer[0] = extent;
        System.arraycopy(extents, 0, longer, 1, extents.length);
        return new Shape(longer);
    }

    /** This shape without its first {@code axes} axes. */
    public Shape dropFirst(int axes) {
        if (axes < 0 || axes > extents.length) {
            throw new ArgumentException("cannot drop " + axes + " axes of shape " + this);
        }
        return new Shape(Arrays.copyOfRange(extents, axes, extents.length));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(extents, shape.extents);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(extents);
    }

    /** For example {@code 32x28x28x1}; a scalar prints as {@code scalar}. */
    @Override
    public String toString() {
        if (extents.length == 0) {
            return "scalar";
        }
        StringBuilder text = new StringBuilder();
        for (int axis = 0; axis < extents.length; axis++) {
            text.append(axis == 0 ? "" : "x").append(extents[axis]);
        }
        return text.toString();
    }
}
