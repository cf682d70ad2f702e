package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.backend.layout.StridedAxes;
import io.quern.op.Transpose;

/**
 * transpose.cu: tiles where x is contiguous along another axis than y, else element by element; x may have any strides. Elements
 * that stay neighbours move together, up to 16 bytes of them.
 */
final class TransposeCuda implements Kernel<Transpose.Args> {
    private static final int AXES = 8;
    private static final int ACCESS = 16;

    private final CudaKernel[] tiles;
    private final CudaKernel[] elements;

    TransposeCuda(CudaKernels kernels) {
        tiles = bySize(kernels, "transpose_", 16, 32, 64);
        elements = bySize(kernels, "permute_", 16, 32, 64, 128);
    }

    private static CudaKernel[] bySize(CudaKernels kernels, String stem, int... bits) {
        CudaKernel[] found = new CudaKernel[bits.length];
        for (int i = 0; i < bits.length; i++) {
            found[i] = kernels.get(stem + bits[i]);
        }
        return found;
    }

    @Override
    public boolean supports(Transpose.Args args) {
        return args.y().isContiguous();
    }

    @Override
    public void run(Transpose.Args args) {
        if (args.y().elements() == 0) {
            return;
        }
        long x = args.x().address();
        long y = args.y().address();
        StridedAxes axes = StridedAxes.of(args.view());
        int bytes = args.x().dtype().bytes();
        while (bytes < ACCESS && (x | y) % (2L * bytes) == 0 && axes.hasPairs()) {
            axes = axes.pairs();
            bytes *= 2;
        }
        // kernels for 2, 4, 8, 16 bytes
        int size = Integer.numberOfTrailingZeros(bytes) - 1;
        int unit = axes.unitAxis();
        if (size < tiles.length && unit >= 0 && unit < axes.rank() - 1) {
            int aligned = (x % ACCESS == 0 ? 1 : 0) | (y % ACCESS == 0 ? 2 : 0);
            TransposePlanes planes = new TransposePlanes(axes, unit, bytes, aligned);
            if (planes.worthwhile()) {
                planes.run(tiles[size].with().i64(x).i64(y));
                return;
            }
        }
        permute(elements[size].with().i64(x).i64(y), axes);
    }

    private static void permute(Launch launch, StridedAxes axes) {
        long count = axes.elements();
        long[] words = new long[1 + 3 * AXES];
        words[0] = axes.rank();
        for (int axis = 0; axis < axes.rank(); axis++) {
            words[1 + axis] = axes.extent(axis);
            words[1 + AXES + axis] = axes.stride(axis);
            words[1 + 2 * AXES + axis] =
                    count <= Integer.MAX_VALUE ? FastDivision.by(Math.toIntExact(axes.extent(axis))) : 0;
        }
        launch.words(words).i64(count).cover(count, 256, 4);
    }
}
