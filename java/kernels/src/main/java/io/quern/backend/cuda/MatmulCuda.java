package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Matmul;
import io.quern.tensor.DType;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/**
 * matmul.cu: F32 on CUDA cores; BF16 and, where the call allows it, F32 rounded to TF32 on tensor cores; see also
 * {@link MatmulHopper}.
 */
final class MatmulCuda implements Kernel<Matmul.Args> {
    /** Elements that a thread of the kernel that adds partial sums takes. */
    private static final int RUN = 8;

    private static final int FINISH_BLOCK = 256;

    private final Map<ProductKind, Map<MatmulTile, CudaKernel[]>> kernels = new EnumMap<>(ProductKind.class);
    private final CudaKernel finish;
    private final DeviceScratch scratch;
    private final Optional<MatmulHopper> hopper;

    MatmulCuda(CudaKernels kernels) {
        for (ProductKind kind : ProductKind.values()) {
            Map<MatmulTile, CudaKernel[]> byTile = new EnumMap<>(MatmulTile.class);
            for (MatmulTile tile : MatmulTile.values()) {
                if (tile.exists(kind)) {
                    byTile.put(tile, byLayout(kernels, kind, tile));
                }
            }
            this.kernels.put(kind, byTile);
        }
        finish = kernels.get("matmul_finish");
        scratch = kernels.scratch();
        hopper = MatmulHopper.of(kernels);
    }

    private static CudaKernel[] byLayout(CudaKernels kernels, ProductKind kind, MatmulTile tile) {
        String end = "_" + kind.label() + "_" + tile.columns;
        return new CudaKernel[] {
            kernels.get("matmul_nn" + end, tile.sharedBytes(kind)),
            kernels.get("matmul_nt" + end, tile.sharedBytes(kind)),
            kernels.get("matmul_tn" + end, tile.sharedBytes(kind)),
            kernels.get("matmul_tt" + end, tile.sharedBytes(kind))
        };
    }

    @Override
    public boolean supports(Matmul.Args args) {
        return Contiguous.all(args.a().dtype(), args.a(), args.b())
                && Contiguous.all(args.c().dtype(), args.c(), args.bias(), args.preactivation())
                && args.a().dtype() != DType.F64
                && MatmulTiles.fits(args);
    }

    @Override
    public void run(Matmul.Args args) {
        long results = args.c().elements();
        if (results == 0) {
            return;
        }
        boolean onHopper = hopper.isPresent() && hopper.get().supports(args);
        ProductKind kind = ProductKind.of(args.a().dtype(), args.precision());
        MatmulTiles tiles = MatmulTiles.of(args, kind);
        int splits = onHopper ? MatmulHopper.splits(args) : tiles.splits();
        long partial = splits == 1 ? 0 : scratch.bytes(splits * results * Float.BYTES);
        if (onHopper) {
            hopper.get().run(args, splits, partial);
        } else {
            run(args, kind, tiles, partial);
        }
        if (splits > 1) {
            long runs = args.batch() * args.m() * Math.ceilDiv(args.n(), RUN);
            MatmulProblem.add(finish.with(), args, splits, partial).cover(runs, FINISH_BLOCK, 1);
        }
    }

    private void run(Matmul.Args args, ProductKind kind, MatmulTiles tiles, long partial) {
        int layout = (args.transposeA() ? 2 : 0) + (args.transposeB() ? 1 : 0);
        MatmulTile tile = tiles.tile();
        CudaKernel kernel = kernels.get(kind).get(tile)[layout];
        MatmulProblem.add(kernel.with(), args, tiles.splits(), partial)
                .run(
                        Math.ceilDiv(args.n(), tile.columns),
                        Math.ceilDiv(args.m(), tile.rows),
                        args.batch() * tiles.splits(),
                        tile.block(kind),
                        tile.sharedBytes(kind));
    }
}
