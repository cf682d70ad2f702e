package io.quern.backend.cuda;

import java.util.Locale;

/** How the products of a convolution are computed: on CUDA cores, or on tensor cores from rounded or from narrow operands. */
enum ConvolutionKind {
    F32(256, 4, 16),
    TF32(128, 4, 16),
    BF16(128, 8, 32);

    /** Threads of a block that makes a tile. */
    final int block;
    /** Channels of one 16-byte access. */
    final int lanes;
    /** Terms that a tile takes at a time, at most. */
    final int depth;

    ConvolutionKind(int block, int lanes, int depth) {
        this.block = block;
        this.lanes = lanes;
        this.depth = depth;
    }

    boolean onTensorCores() {
        return this != F32;
    }

    /** As kernels are named. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
