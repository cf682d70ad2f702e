package io.quern.backend.cuda;

import java.util.EnumMap;
import java.util.Map;

/** The kernels of one pass that make tiles, and those that sum directly; where there is one tile only, it is the small one. */
final class ConvolutionTiles {
    private final Map<ProductKind, CudaKernel[]> vectors = new EnumMap<>(ProductKind.class);
    private final Map<ProductKind, CudaKernel[]> any = new EnumMap<>(ProductKind.class);

    /** @param stem of the kernels' names, for example {@code conv2d} */
    ConvolutionTiles(CudaKernels kernels, String stem) {
        for (ProductKind kind : ProductKind.values()) {
            vectors.put(kind, kernels(kernels, stem + "_", kind, true));
            any.put(kind, kernels(kernels, stem + "_any_", kind, false));
        }
    }

    private static CudaKernel[] kernels(CudaKernels kernels, String stem, ProductKind kind, boolean wide) {
        CudaKernel[] found = new CudaKernel[ConvolutionTile.values().length];
        for (ConvolutionTile tile : ConvolutionTile.values()) {
            if (tile.exists(kind, wide)) {
                String name = stem + kind.label() + "_" + tile.rows + "x" + tile.columns;
                found[tile.ordinal()] = kernels.get(name, tile.sharedBytes(kind));
            }
        }
        return found;
    }

    /** @param wide true if channels can be loaded 16 bytes at a time */
    CudaKernel get(ProductKind kind, ConvolutionTile tile, boolean wide) {
        return (wide ? vectors : any).get(kind)[tile.ordinal()];
    }
}
