package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.op.ActivationKind;
import io.quern.tensor.Tensor;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * What follows a matrix product or a convolution while the block is in cache: z = c + bias, a copy of z if the gradient
 * will need it, c = f(z).
 *
 * @param bias address of one float per column, or 0
 * @param preactivation address of a matrix of the result's row length, or 0
 */
record FusedEpilogue(long bias, long preactivation, ActivationKind kind) implements Epilogue {
    /** Null when there is nothing to do. */
    static FusedEpilogue of(Tensor bias, Tensor preactivation, ActivationKind kind) {
        if (bias == null && preactivation == null && kind == ActivationKind.NONE) {
            return null;
        }
        return new FusedEpilogue(
                bias == null ? 0 : bias.address(), preactivation == null ? 0 : preactivation.address(), kind);
    }

    /** For the item of a batch whose preactivation lies {@code bytes} behind the first. */
    FusedEpilogue shifted(long bytes) {
        return preactivation == 0 ? this : new FusedEpilogue(bias, preactivation + bytes, kind);
    }

    @Override
    public void apply(long c, long rowStrideBytes, int row0, int rows, int col0, int cols) {
        long column = (long) col0 * Float.BYTES;
        if (bias == 0 && rowStrideBytes == (long) cols * Float.BYTES) {
            // Whole rows without anything per column are one row.
            cols *= rows;
            rows = 1;
        }
        for (int i = 0; i < rows; i++) {
            long row = c + i * rowStrideBytes;
            if (bias != 0) {
                addBias(row, bias + column, cols);
            }
            if (preactivation != 0) {
                Copies.copy(row, preactivation + (row0 + i) * rowStrideBytes + column, (long) cols * Float.BYTES);
            }
            if (kind != ActivationKind.NONE) {
                ActivationVector.apply(kind, row, row, cols);
            }
        }
    }

    private static void addBias(long row, long bias, int cols) {
        int j = 0;
        for (; j <= cols - Lanes.FLOATS; j += Lanes.FLOATS) {
            store(row, j, load(row, j).add(load(bias, j)));
        }
        if (j < cols) {
            VectorMask<Float> tail = Lanes.F.indexInRange(j, cols);
            store(row, j, load(row, j, tail).add(load(bias, j, tail)), tail);
        }
    }

    private static FloatVector load(long at, int j) {
        return FloatVector.fromMemorySegment(Lanes.F, ALL, at + 4L * j, Lanes.ORDER);
    }

    private static FloatVector load(long at, int j, VectorMask<Float> mask) {
        return FloatVector.fromMemorySegment(Lanes.F, ALL, at + 4L * j, Lanes.ORDER, mask);
    }

    private static void store(long at, int j, FloatVector value) {
        value.intoMemorySegment(ALL, at + 4L * j, Lanes.ORDER);
    }

    private static void store(long at, int j, FloatVector value, VectorMask<Float> mask) {
        value.intoMemorySegment(ALL, at + 4L * j, Lanes.ORDER, mask);
    }
}
