package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Matmul;
import io.quern.tensor.Tensor;

/**
 * matmul.cu: tiles of 128 or 64, and a cut of k into partial products where there are few tiles. Tile and cut depend on
 * the shape alone, so that bits do not depend on the GPU.
 */
final class MatmulCuda implements Kernel<Matmul.Args> {
    private static final int BLOCK = 256;
    private static final int LARGE = 128;
    private static final int SMALL = 64;
    /** So many large tiles fill any GPU. */
    private static final long MANY_TILES = 128;

    private static final int LEAST_K = 256;
    private static final int MOST_SPLITS = 16;
    private static final int MOST_BLOCKS = 65_535;

    private final CudaKernel[] large;
    private final CudaKernel[] small;
    private final CudaKernel finish;
    private final CudaKernel dropout;
    private final DeviceScratch scratch;

    MatmulCuda(CudaKernels kernels) {
        large = byLayout(kernels, LARGE);
        small = byLayout(kernels, SMALL);
        finish = kernels.get("matmul_finish_f32");
        dropout = kernels.get("dropout_f32");
        scratch = kernels.scratch();
    }

    private static CudaKernel[] byLayout(CudaKernels kernels, int tile) {
        String end = "_f32_" + tile;
        return new CudaKernel[] {
            kernels.get("matmul_nn" + end),
            kernels.get("matmul_nt" + end),
            kernels.get("matmul_tn" + end),
            kernels.get("matmul_tt" + end)
        };
    }

    @Override
    public boolean supports(Matmul.Args args) {
        return Contiguous.floats(args.a(), args.b(), args.bias(), args.c(), args.preactivation())
                && Math.ceilDiv(args.m(), SMALL) <= MOST_BLOCKS
                && args.batch() * MOST_SPLITS <= MOST_BLOCKS;
    }

    private static long tiles(Matmul.Args args, int tile) {
        return args.batch() * Math.ceilDiv(args.m(), tile) * Math.ceilDiv(args.n(), tile);
    }

    /** Pieces of k: more for fewer tiles. */
    private static int splits(Matmul.Args args, int tile) {
        long wanted = Math.min(MANY_TILES / Math.max(1, tiles(args, tile)), args.k() / LEAST_K);
        return Math.toIntExact(Math.clamp(wanted, 1, MOST_SPLITS));
    }

    @Override
    public void run(Matmul.Args args) {
        long results = args.c().elements();
        if (results == 0) {
            return;
        }
        int tile = tiles(args, LARGE) >= MANY_TILES ? LARGE : SMALL;
        int splits = splits(args, tile);
        long partial = splits == 1 ? 0 : scratch.bytes(splits * results * Float.BYTES);
        long[] problem = problem(args, splits, partial);
        int layout = (args.transposeA() ? 2 : 0) + (args.transposeB() ? 1 : 0);
        (tile == LARGE ? large : small)
                [layout].with()
                .words(problem)
                .run(Math.ceilDiv(args.n(), tile), Math.ceilDiv(args.m(), tile), args.batch() * splits, BLOCK, 0);
        if (splits > 1) {
            finish.with().words(problem).i32(Math.toIntExact(args.batch())).cover(results, BLOCK, 4);
        }
        if (args.dropout() != null) {
            DropoutCuda.launch(dropout, args.c(), args.c(), args.dropout());
        }
    }

    /** Problem of matmul.cuh, as 64-bit words. */
    private static long[] problem(Matmul.Args args, int splits, long partial) {
        return new long[] {
            args.a().address(),
            args.b().address(),
            address(args.bias()),
            args.c().address(),
            address(args.preactivation()),
            partial,
            pair(args.m(), args.n()),
            pair(args.k(), 0),
            (long) args.m() * args.k(),
            (long) args.k() * args.n(),
            (long) args.m() * args.n(),
            pair(Float.floatToRawIntBits((float) args.alpha()), Float.floatToRawIntBits((float) args.beta())),
            pair(args.activation().ordinal(), splits)
        };
    }

    private static long address(Tensor tensor) {
        return tensor == null ? 0 : tensor.address();
    }

    private static long pair(int low, int high) {
        return low & 0xffffffffL | (long) high << 32;
    }
}
