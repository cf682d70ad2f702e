package io.quern.backend.vector;

import io.quern.op.Packing;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;

/**
 * All of a B as the panels of {@link GemmPanels}, k block by k block, for many products.
 *
 * @param memory holds them
 * @param shape whose columns a panel has
 * @param kc depth of a k block, {@link Gemm#depth}
 */
record GemmPacked(Tensor memory, GemmTile shape, int n, int kc) implements Packing.Packed {
    static GemmPacked of(GemmPanels b, int n, int k) {
        GemmTile shape = GemmTile.packed(n);
        int kc = Gemm.depth(k), width = up(n, shape);
        Tensor memory = Tensor.allocate(DType.F32, Shape.of((long) width * k));
        for (int p = 0; p < k; p += kc) {
            b.pack(memory.address() + 4L * width * p, shape.columns, 0, n, p, Math.min(kc, k - p));
        }
        return new GemmPacked(memory, shape, n, kc);
    }

    private static int up(int n, GemmTile shape) {
        return (n + shape.columns - 1) / shape.columns * shape.columns;
    }

    /** Address of the panel of a column, a multiple of the panel's width, in the k block that starts at p. */
    long panel(int column, int p, int depth) {
        return memory.address() + 4L * ((long) up(n, shape) * p + (long) column * depth);
    }

    @Override
    public void close() {
        memory.close();
    }
}
