package io.quern.backend.layout;

import io.quern.tensor.Tensor;
import java.util.Arrays;

/** The axes of a strided tensor as few as its layout allows: those of extent 1 left out, contiguous neighbours merged. */
public final class StridedAxes {
    private final long[] extents;
    private final long[] strides;

    private StridedAxes(long[] extents, long[] strides) {
        this.extents = extents;
        this.strides = strides;
    }

    /** The axes of a tensor that is not empty; at least one. */
    public static StridedAxes of(Tensor tensor) {
        long[] extents = new long[tensor.rank() + 1];
        long[] strides = new long[tensor.rank() + 1];
        extents[0] = 1;
        int rank = 0;
        for (int axis = 0; axis < tensor.rank(); axis++) {
            long extent = tensor.size(axis);
            long stride = tensor.stride(axis);
            if (extent == 1) {
                continue;
            }
            if (rank > 0 && strides[rank - 1] == stride * extent) {
                extents[rank - 1] *= extent;
                strides[rank - 1] = stride;
            } else {
                extents[rank] = extent;
                strides[rank++] = stride;
            }
        }
        return new StridedAxes(Arrays.copyOf(extents, Math.max(1, rank)), Arrays.copyOf(strides, Math.max(1, rank)));
    }

    public int rank() {
        return extents.length;
    }

    public long extent(int axis) {
        return extents[axis];
    }

    public long stride(int axis) {
        return strides[axis];
    }

    public long elements() {
        return Arrays.stream(extents).reduce(1, (a, b) -> a * b);
    }

    /** The axis of stride 1, or -1. */
    public int unitAxis() {
        for (int axis = rank() - 1; axis >= 0; axis--) {
            if (strides[axis] == 1) {
                return axis;
            }
        }
        return -1;
    }

    public StridedAxes without(int axis) {
        return new StridedAxes(remove(extents, axis), remove(strides, axis));
    }

    private static long[] remove(long[] values, int axis) {
        long[] rest = new long[values.length - 1];
        System.arraycopy(values, 0, rest, 0, axis);
        System.arraycopy(values, axis + 1, rest, axis, rest.length - axis);
        return rest;
    }

    /** The same extents with row-major strides. */
    public StridedAxes rowMajor() {
        long[] rowMajor = new long[extents.length];
        long stride = 1;
        for (int axis = extents.length - 1; axis >= 0; axis--) {
            rowMajor[axis] = stride;
            stride *= extents[axis];
        }
        return new StridedAxes(extents, rowMajor);
    }

    /** True if neighbours along the last axis can be taken in pairs as elements of twice the size. */
    public boolean hasPairs() {
        int last = rank() - 1;
        boolean even = strides[last] == 1 && extents[last] % 2 == 0;
        for (int axis = 0; axis < last; axis++) {
            even &= strides[axis] % 2 == 0;
        }
        return even;
    }

    /** The same with such pairs for elements. */
    public StridedAxes pairs() {
        int last = rank() - 1;
        long[] halved = Arrays.stream(strides).map(stride -> stride / 2).toArray();
        halved[last] = 1;
        long[] fewer = extents.clone();
        fewer[last] /= 2;
        StridedAxes pairs = new StridedAxes(fewer, halved);
        return fewer[last] == 1 && last > 0 ? pairs.without(last) : pairs;
    }

    /** Starts at the element of the given row-major rank. */
    public Walk walk(long flat) {
        return new Walk(flat);
    }

    /** Visits the elements in row-major order. */
    public final class Walk {
        private final long[] index = new long[extents.length];
        private long offset;

        private Walk(long flat) {
            for (int axis = extents.length - 1; axis >= 0; axis--) {
                index[axis] = flat % extents[axis];
                offset += index[axis] * strides[axis];
                flat /= extents[axis];
            }
        }

        /** Where the current element is, in elements from the first. */
        public long offset() {
            return offset;
        }

        /** Behind the last element it starts again. */
        public void next() {
            for (int axis = extents.length - 1; axis >= 0; axis--) {
                offset += strides[axis];
                if (++index[axis] < extents[axis]) {
                    return;
                }
                offset -= strides[axis] * extents[axis];
                index[axis] = 0;
            }
        }
    }
}
