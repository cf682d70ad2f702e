package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.op.ActivationKind;
import io.quern.op.DropoutMask;
import io.quern.tensor.Tensor;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * What follows a matrix product or a convolution while the block is in cache: z = c + bias, a copy of z if the gradient
 * will need it, c = f(z), c = dropout(c).
 *
 * @param bias address of one float per column, or 0
 * @param preactivation address of a matrix of the result's row length, or 0
 * @param dropout null for none
 */
record FusedEpilogue(long bias, long preactivation, ActivationKind kind, Dropping dropout) implements Epilogue {
    /**
     * Dropout of the result.
     *
     * @param columns of a whole row of the result
     * @param first index of its first element in the draws
     * @param scratch for the draws: not the one that holds the caller's operands
     */
    record Dropping(DropoutMask mask, int columns, long first, Scratch scratch) {
        /** Null when nothing is dropped. */
        static Dropping of(DropoutMask mask, int columns, Scratch scratch) {
            return mask == null || mask.threshold() == 0 ? null : new Dropping(mask, columns, 0, scratch);
        }
    }

    /** Rows that stay in L1 from one step to the next. */
    private static final int STRIP = 8;

    /** Null when there is nothing to do. */
    static FusedEpilogue of(Tensor bias, Tensor preactivation, ActivationKind kind, Dropping dropout) {
        if (bias == null && preactivation == null && kind == ActivationKind.NONE && dropout == null) {
            return null;
        }
        return new FusedEpilogue(
                bias == null ? 0 : bias.address(), preactivation == null ? 0 : preactivation.address(), kind, dropout);
    }

    /** Without dropout. */
    static FusedEpilogue of(Tensor bias, Tensor preactivation, ActivationKind kind) {
        return of(bias, preactivation, kind, null);
    }

    /** For an item of a batch: its preactivation lies {@code bytes}, its result {@code elements} behind the first. */
    FusedEpilogue shifted(long bytes, long elements) {
        return new FusedEpilogue(
                bias,
                preactivation == 0 ? 0 : preactivation + bytes,
                kind,
                dropout == null
                        ? null
                        : new Dropping(dropout.mask, dropout.columns, dropout.first + elements, dropout.scratch));
    }

    @Override
    public void apply(long c, long rowStrideBytes, int row0, int rows, int col0, int cols) {
        long column = (long) col0 * Float.BYTES;
        if (bias == 0
                && rowStrideBytes == (long) cols * Float.BYTES
                && (dropout == null || cols == dropout.columns)
                && (long) rows * cols <= Integer.MAX_VALUE) {
            // Whole rows without anything per column are one row.
            activate(c, preactivation + row0 * rowStrideBytes, column, rows * cols);
            if (dropout != null) {
                drop(c, dropout.first + (long) row0 * dropout.columns + col0, rows * cols);
            }
            return;
        }
        long first = dropout == null ? 0 : dropout.first + (long) row0 * dropout.columns + col0;
        boolean bitwise = dropout != null
                && cols % DropoutBits.GROUP == 0
                && dropout.columns % 8 == 0
                && DropoutBits.covers(first, first + (long) rows * dropout.columns);
        if (bias != 0
                && EpilogueCode.takes(kind, preactivation != 0, bitwise, cols)
                && (!bitwise || DropoutCode.hasBits())) {
            long copy = preactivation == 0 ? 0 : preactivation + row0 * rowStrideBytes + column;
            byCode(c, rowStrideBytes, bias + column, copy, rows, cols, first, bitwise);
            return;
        }
        boolean fused = bias != 0
                && preactivation == 0
                && (kind == ActivationKind.RELU || kind == ActivationKind.GELU)
                && cols % ActivationRows.STEP == 0;
        boolean dropped = fused && bitwise;
        long bits = dropped ? dropout.scratch.address(DropoutBits.bytes((long) STRIP * cols)) : 0;
        for (int i = 0; i < rows; i += STRIP) {
            long at = c + i * rowStrideBytes, index = first + (dropped ? (long) i * dropout.columns : 0);
            int some = Math.min(STRIP, rows - i);
            if (dropped) {
                DropoutBits.fill(dropout.mask, index, dropout.columns, some, cols, bits);
                float scale = dropout.mask.scale();
                if (kind == ActivationKind.RELU) {
                    ActivationRows.biasReluDrop(at, rowStrideBytes, bias + column, some, cols, bits, scale);
                } else {
                    ActivationRows.biasGeluDrop(at, rowStrideBytes, bias + column, some, cols, bits, scale);
                }
                continue;
            }
            if (fused && kind == ActivationKind.RELU) {
                ActivationRows.biasRelu(at, rowStrideBytes, bias + column, some, cols);
            } else if (fused) {
                ActivationRows.biasGelu(at, rowStrideBytes, bias + column, some, cols);
            }
            for (int row = i; row < i + some; row++) {
                long to = c + row * rowStrideBytes;
                if (!fused) {
                    activate(to, preactivation + (row0 + row) * rowStrideBytes, column, cols);
                }
                if (dropout != null) {
                    drop(to, first + (long) row * dropout.columns, cols);
                }
            }
        }
    }

    /** @param copy of the first row, or 0 */
    private void byCode(long c, long stride, long bias, long copy, int rows, int cols, long first, boolean bitwise) {
        int strip = EpilogueCode.strip(cols);
        long size = DropoutBits.bytes((long) strip * cols);
        long bits = bitwise ? dropout.scratch.address(size + DropoutCode.bitsArgument((long) strip * cols)) : 0;
        for (int i = 0; i < rows; i += strip) {
            int some = Math.min(strip, rows - i);
            long at = c + i * stride, index = dropout == null ? 0 : first + (long) i * dropout.columns;
            if (bitwise) {
                DropoutCode.bits(dropout.mask, index, dropout.columns, some, cols, bits, bits + size);
            }
            float scale = bitwise ? dropout.mask.scale() : 1;
            EpilogueCode.run(kind, at, stride, bias, copy == 0 ? 0 : copy + i * stride, some, cols, bits, scale);
            for (int row = 0; dropout != null && !bitwise && row < some; row++) {
                drop(at + row * stride, index + (long) row * dropout.columns, cols);
            }
        }
    }

    /** A row: bias, copy and activation. */
    private void activate(long c, long copy, long column, int cols) {
        if (bias != 0) {
            addBias(c, bias + column, cols);
        }
        if (preactivation != 0) {
            Copies.copy(c, copy + column, (long) cols * Float.BYTES);
        }
        if (kind != ActivationKind.NONE) {
            ActivationVector.apply(kind, c, c, cols);
        }
    }

    private void drop(long c, long index, int cols) {
        DropoutVector.apply(dropout.mask, index, c, c, cols, dropout.scratch.address(DropoutVector.SCRATCH));
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
