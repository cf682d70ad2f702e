package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Transpose;
import io.quern.tensor.Tensor;

/** transpose.cu: tiles where two neighbouring axes change places, else element by element; x may have any strides. */
final class TransposeCuda implements Kernel<Transpose.Args> {
    private static final int AXES = 8;
    private static final int TILE = 32;
    private static final int TILE_ROWS = 8;
    private static final int MOST_BLOCKS = 65_535;

    private final CudaKernel[] tiles;
    private final CudaKernel[] elements;

    TransposeCuda(CudaKernels kernels) {
        tiles = bySize(kernels, "transpose_");
        elements = bySize(kernels, "permute_");
    }

    /** For elements of 2, 4 and 8 bytes. */
    private static CudaKernel[] bySize(CudaKernels kernels, String name) {
        return new CudaKernel[] {kernels.get(name + 16), kernels.get(name + 32), kernels.get(name + 64)};
    }

    private static int size(Tensor tensor) {
        return Integer.numberOfTrailingZeros(tensor.dtype().bytes()) - 1;
    }

    @Override
    public boolean supports(Transpose.Args args) {
        return args.y().isContiguous();
    }

    @Override
    public void run(Transpose.Args args) {
        Tensor x = args.x();
        boolean matrix = x.isContiguous()
                && x.rank() == 2
                && args.axes().getFirst() == 1
                && Math.ceilDiv(x.size(0), TILE) <= MOST_BLOCKS
                && x.size(1) <= Integer.MAX_VALUE;
        if (matrix) {
            tiles[size(x)]
                    .with()
                    .tensor(x)
                    .tensor(args.y())
                    .i32(x.dim(0))
                    .i32(x.dim(1))
                    .run(Math.ceilDiv(x.dim(1), TILE), Math.ceilDiv(x.dim(0), TILE), 1, TILE, TILE_ROWS, 0);
            return;
        }
        Tensor view = args.view();
        long[] axes = new long[1 + 2 * AXES];
        axes[0] = view.rank();
        for (int axis = 0; axis < view.rank(); axis++) {
            axes[1 + axis] = view.size(axis);
            axes[1 + AXES + axis] = view.stride(axis);
        }
        long count = args.y().elements();
        elements[size(x)]
                .with()
                .tensor(view)
                .tensor(args.y())
                .words(axes)
                .i64(count)
                .cover(count, 256, 4);
    }
}
