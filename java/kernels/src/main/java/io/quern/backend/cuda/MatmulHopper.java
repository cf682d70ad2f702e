package io.quern.backend.cuda;

import io.quern.op.Matmul;
import io.quern.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * hopper/matmul.cu: BF16 products by TMA and wgmma, where the device is a Hopper, addresses and rows fit the copy engine,
 * and there is a tile's worth of work.
 */
final class MatmulHopper {
    static final int BLOCK = 384;
    private static final int ROWS = 128;
    private static final int WIDE = 256;
    private static final int NARROW = 128;
    private static final int WIDE_SHARED = 217_152;
    private static final int NARROW_SHARED = 217_184;
    private static final int DEPTH = 64;
    /** So many wide tiles fill any Hopper. */
    private static final long MANY = 128;

    private static final int LEAST_K = 512;
    private static final int MOST_SPLITS = 16;
    /** Below this in m, n or k most of a tile would be padding. */
    private static final int LEAST = 64;

    private final List<CudaKernel> wide;
    private final List<CudaKernel> narrow;
    private final TensorMaps maps;
    private final int processors;

    private MatmulHopper(CudaKernels kernels, List<CudaKernel> wide, List<CudaKernel> narrow) {
        this.wide = wide;
        this.narrow = narrow;
        maps = new TensorMaps(kernels.device());
        processors = kernels.device().info().processors();
    }

    /** Empty where the device is no Hopper. */
    static Optional<MatmulHopper> of(CudaKernels kernels) {
        List<CudaKernel> wide = byLayout(kernels, WIDE, WIDE_SHARED);
        return wide.isEmpty()
                ? Optional.empty()
                : Optional.of(new MatmulHopper(kernels, wide, byLayout(kernels, NARROW, NARROW_SHARED)));
    }

    private static List<CudaKernel> byLayout(CudaKernels kernels, int columns, int shared) {
        List<CudaKernel> found = new ArrayList<>();
        for (String layout : new String[] {"nn", "nt", "tn", "tt"}) {
            kernels.hopper("matmul_" + layout + "_bf16_" + columns, shared).ifPresent(found::add);
        }
        return found;
    }

    boolean supports(Matmul.Args args) {
        return args.a().dtype() == DType.BF16
                && Math.min(args.m(), Math.min(args.n(), args.k())) >= LEAST
                && TensorMaps.fits(args.a())
                && TensorMaps.fits(args.b())
                && tiles(args, NARROW) * MOST_SPLITS <= Integer.MAX_VALUE;
    }

    private static long tiles(Matmul.Args args, int columns) {
        return args.batch() * Math.ceilDiv(args.m(), ROWS) * Math.ceilDiv(args.n(), columns);
    }

    private static int columns(Matmul.Args args) {
        return tiles(args, WIDE) >= MANY ? WIDE : NARROW;
    }

    /** Parts of k, none of them empty: more for fewer tiles. */
    static int splits(Matmul.Args args) {
        long wanted = Math.min(MANY / Math.max(1, tiles(args, columns(args))), args.k() / LEAST_K);
        int steps = Math.ceilDiv(args.k(), DEPTH);
        int perPart = Math.ceilDiv(steps, Math.toIntExact(Math.clamp(wanted, 1, MOST_SPLITS)));
        return Math.ceilDiv(steps, perPart);
    }

    void run(Matmul.Args args, int splits, long partial) {
        int columns = columns(args);
        int layout = (args.transposeA() ? 2 : 0) + (args.transposeB() ? 1 : 0);
        Launch launch = (columns == WIDE ? wide : narrow)
                .get(layout)
                .with()
                .map(maps.of(args.a(), args.transposeA() ? TensorMaps.BOX : ROWS))
                .map(maps.of(args.b(), args.transposeB() ? columns : TensorMaps.BOX));
        long blocks = Math.min(processors, tiles(args, columns) * splits);
        MatmulProblem.add(launch, args, splits, partial)
                .run(blocks, 1, 1, BLOCK, columns == WIDE ? WIDE_SHARED : NARROW_SHARED);
    }
}
