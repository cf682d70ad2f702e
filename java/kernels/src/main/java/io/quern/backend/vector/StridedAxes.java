package io.quern.backend.vector;

import io.quern.tensor.Tensor;
import java.util.Arrays;

/** The axes of a strided tensor as few as its layout allows: those of extent 1 left out, contiguous neighbours merged. */
final class StridedAxes {
    private final long[] extents;
    private final long[] strides;

    private StridedAxes(long[] extents, long[] strides) {
        this.extents = extents;
        this.strides = strides;
    }

    /** The axes of a tensor that is not empty; at least one. */
    static StridedAxes of(Tensor tensor) {
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

    int rank() {
        return extents.length;
    }

    long extent(int axis) {
        return extents[axis];
    }

    long stride(int axis) {
        return strides[axis];
    }

    long elements() {
        return Arrays.stream(extents).reduce(1, (a, b) -> a * b);
    }

    /** The axis of stride 1, or -1. */
    int unitAxis() {
        for (int axis = rank() - 1; axis >= 0; axis--) {
            if (strides[axis] == 1) {
                return axis;
            }
        }
        return -1;
    }

    StridedAxes without(int axis) {
        return new StridedAxes(remove(extents, axis), remove(strides, axis));
    }

    private static long[] remove(long[] values, int axis) {
        long[] rest = new long[values.length - 1];
        System.arraycopy(values, 0, rest, 0, axis);
        System.arraycopy(values, axis + 1, rest, axis, rest.length - axis);
        return rest;
    }

    /** The same extents with row-major strides. */
    StridedAxes rowMajor() {
        long[] rowMajor = new long[extents.length];
        long stride = 1;
        for (int axis = extents.length - 1; axis >= 0; axis--) {
            rowMajor[axis] = stride;
            stride *= extents[axis];
        }
        return new StridedAxes(extents, rowMajor);
    }

    /** Starts at the element of the given row-major rank. */
    Walk walk(long flat) {
        return new Walk(flat);
    }

    /** Visits the elements in row-major order. */
    final class Walk {
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
        long offset() {
            return offset;
        }

        /** Behind the last element it starts again. */
        void next() {
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
