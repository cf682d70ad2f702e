package io.quern.backend.vector;

/**
 * An operand of {@link Gemm} that can write itself as panels. A matrix packs its strided elements, a convolution packs
 * its im2col view straight from the image: the view is never materialised.
 */
@FunctionalInterface
interface PanelSource {
    /**
     * Writes rows (of A) or columns (of B) {@code first .. first + count} for {@code k0 .. k0 + kc} as consecutive
     * panels of {@code width} = {@link GemmTile#ROWS} or {@link GemmTile#COLUMNS}: element (i, p) of a panel lies at
     * {@code (p * width + i) * 4} bytes, panels are {@code width * kc * 4} bytes apart, and a short last panel is
     * filled with zeros.
     *
     * @param destination 64-byte aligned address
     * @param first a multiple of the panel width
     */
    void pack(long destination, int first, int count, int k0, int kc);
}
