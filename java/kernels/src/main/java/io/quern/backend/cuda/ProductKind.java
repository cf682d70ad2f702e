package io.quern.backend.cuda;

import io.quern.op.Precision;
import io.quern.tensor.DType;
import java.util.Locale;

/** How matrix products and convolutions are computed: on CUDA cores, or on tensor cores from rounded or from narrow operands. */
enum ProductKind {
    F32(256, 4, 16),
    TF32(128, 4, 16),
    BF16(128, 8, 32);

    /** Threads of a block that makes a tile. */
    final int block;
    /** Operands of one 16-byte access. */
    final int lanes;
    /** Terms that a tile takes at a time, at most. */
    final int depth;

    ProductKind(int block, int lanes, int depth) {
        this.block = block;
        this.lanes = lanes;
        this.depth = depth;
    }

    static ProductKind of(DType operands, Precision precision) {
        return operands == DType.BF16 ? BF16 : precision == Precision.TF32 ? TF32 : F32;
    }

    boolean onTensorCores() {
        return this != F32;
    }

    /** As kernels are named. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
