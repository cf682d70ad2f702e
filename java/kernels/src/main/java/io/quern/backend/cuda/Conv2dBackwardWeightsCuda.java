package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Conv2dBackwardWeights;

/**
 * conv2d_backward_weights.cu: sums over pieces of the result pixels, then their sum in order. How the pixels are cut depends
 * on the problem alone, so that bits do not depend on the GPU.
 */
final class Conv2dBackwardWeightsCuda implements Kernel<Conv2dBackwardWeights.Args> {
    /** Blocks that are wanted: a few for every multiprocessor of any GPU, so that the last ones to end do not matter. */
    private static final long BLOCKS = 1024;

    private static final long LEAST_PIXELS = 256;
    /** Pixels of a piece are a multiple of what a tile takes at a time. */
    private static final int STEP = 16;
    /** Result channels and rows of the filter that a block of the direct form sums. */
    private static final int DIRECT_CHANNELS = 32;

    private static final int DIRECT_ROWS = 9;

    private final CudaKernel[] vectors;
    private final CudaKernel[] any;
    private final CudaKernel sums;
    private final CudaKernel direct;
    private final DeviceScratch scratch;

    Conv2dBackwardWeightsCuda(CudaKernels kernels) {
        vectors = ConvolutionTile.kernels(kernels, "conv2d_backward_weights_f32", true);
        any = ConvolutionTile.kernels(kernels, "conv2d_backward_weights_any_f32", false);
        sums = kernels.get("conv2d_sums_f32");
        direct = kernels.get("conv2d_backward_weights_direct_f32");
        scratch = kernels.scratch();
    }

    private static ConvolutionLaunch of(Conv2dBackwardWeights.Args args) {
        return new ConvolutionLaunch(args.x(), args.dfilter(), args.dy(), args.geometry());
    }

    private static boolean direct(ConvolutionLaunch conv) {
        return conv.direct(conv.groupK());
    }

    private static long directPieces(ConvolutionLaunch conv) {
        return Math.ceilDiv(conv.terms(), (long) DIRECT_ROWS);
    }

    @Override
    public boolean supports(Conv2dBackwardWeights.Args args) {
        ConvolutionLaunch conv = of(args);
        return Contiguous.floats(args.x(), args.dy(), args.dfilter())
                && conv.supported()
                && !(direct(conv) && directPieces(conv) > ConvolutionLaunch.MOST_BLOCKS);
    }

    @Override
    public void run(Conv2dBackwardWeights.Args args) {
        ConvolutionLaunch conv = of(args);
        long elements = args.dfilter().elements();
        if (elements == 0) {
            return;
        }
        boolean narrow = direct(conv);
        boolean fast = conv.vectors();
        int groups = args.geometry().groups();
        ConvolutionTile tile = tile(conv, fast);
        long blocks = narrow
                ? Math.ceilDiv(args.dfilter().size(3), (long) DIRECT_CHANNELS)
                : tile.count(conv.terms(), conv.groupK());
        long others = narrow ? directPieces(conv) : groups;
        long pixels = conv.resultPixels();
        int wanted = ConvolutionLaunch.splits(blocks * others, BLOCKS, pixels, LEAST_PIXELS, elements);
        long chunk = Math.max(1, Math.ceilDiv(Math.ceilDiv(pixels, (long) wanted), (long) STEP)) * STEP;
        int splits = Math.toIntExact(Math.max(1, Math.ceilDiv(pixels, chunk)));
        long target = splits == 1 ? args.dfilter().address() : scratch.bytes(splits * elements * Float.BYTES);
        CudaKernel kernel = narrow ? direct : (fast ? vectors : any)[tile.ordinal()];
        conv.problem(kernel.with()
                        .tensor(args.x())
                        .tensor(args.dy())
                        .i64(target)
                        .i32(Math.toIntExact(chunk)))
                .run(blocks, others, splits, ConvolutionLaunch.BLOCK, 0);
        if (splits > 1) {
            sums.with()
                    .i64(target)
                    .tensor(args.dfilter())
                    .i64(elements)
                    .i32(splits)
                    .cover(elements, ConvolutionLaunch.BLOCK, 1);
        }
    }

    /** Pixels can be cut, so the largest tile that the filter fills. */
    private static ConvolutionTile tile(ConvolutionLaunch conv, boolean fast) {
        long rows = conv.terms();
        if (rows <= ConvolutionTile.SMALL.rows) {
            return ConvolutionTile.SMALL;
        }
        return fast && conv.groupK() > ConvolutionTile.TALL.columns ? ConvolutionTile.LARGE : ConvolutionTile.TALL;
    }
}
