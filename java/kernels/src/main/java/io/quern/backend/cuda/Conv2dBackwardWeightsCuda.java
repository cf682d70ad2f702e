package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Conv2dBackwardWeights;
import io.quern.tensor.DType;

/**
 * conv2d_backward_weights.cu: sums over pieces of the result pixels, then their sum in order. How the pixels are cut depends
 * on the problem and on {@link ConvolutionTile}, so that bits do not depend on the GPU.
 */
final class Conv2dBackwardWeightsCuda implements Kernel<Conv2dBackwardWeights.Args> {
    /** Blocks that are wanted: a few for every multiprocessor of any GPU, so that the last ones to end do not matter. */
    private static final long BLOCKS = 1024;

    private static final long LEAST_PIXELS = 256;
    /** Result channels and rows of the filter that a block of the direct form sums. */
    private static final int DIRECT_CHANNELS = 32;

    private static final int DIRECT_ROWS = 9;

    private final ConvolutionTiles tiles;
    private final ConvolutionSums sums;
    private final DirectKernels direct;

    Conv2dBackwardWeightsCuda(CudaKernels kernels) {
        tiles = new ConvolutionTiles(kernels, "conv2d_backward_weights");
        sums = new ConvolutionSums(kernels);
        direct = new DirectKernels(kernels, "conv2d_backward_weights_direct");
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
        return Contiguous.all(args.x().dtype(), args.x(), args.dy())
                && args.dfilter().isContiguous()
                && args.x().dtype() != DType.F64
                && conv.supported(conv.kind(args.precision()))
                && !(direct(conv) && directPieces(conv) > ConvolutionLaunch.MOST_BLOCKS);
    }

    @Override
    public void run(Conv2dBackwardWeights.Args args) {
        ConvolutionLaunch conv = of(args);
        long elements = args.dfilter().elements();
        if (elements == 0) {
            return;
        }
        ProductKind kind = conv.kind(args.precision());
        boolean narrow = direct(conv);
        boolean wide = conv.vectors(kind);
        int groups = args.geometry().groups();
        ConvolutionTile tile = ConvolutionTile.filled(conv.terms(), conv.groupK(), kind, wide);
        long blocks = narrow
                ? Math.ceilDiv(args.dfilter().size(3), (long) DIRECT_CHANNELS)
                : tile.count(conv.terms(), conv.groupK());
        long others = narrow ? directPieces(conv) : groups;
        long pixels = conv.resultPixels();
        int wanted = ConvolutionLaunch.splits(blocks * others, BLOCKS, pixels, LEAST_PIXELS, elements);
        // pixels of a piece are a multiple of what a tile takes at a time
        long chunk = Math.max(1, Math.ceilDiv(Math.ceilDiv(pixels, (long) wanted), (long) kind.depth)) * kind.depth;
        int splits = Math.toIntExact(Math.max(1, Math.ceilDiv(pixels, chunk)));
        long partial = sums.partial(args.dfilter(), splits);
        Launch launch = (narrow ? direct.get(kind, conv.depthwise(kind) ? kind.lanes : 1) : tiles.get(kind, tile, wide))
                .with()
                .tensor(args.x())
                .tensor(args.dy())
                .words(ConvolutionSums.target(args.dfilter(), partial))
                .i32(Math.toIntExact(chunk));
        conv.problem(launch)
                .run(
                        blocks,
                        others,
                        splits,
                        narrow ? ConvolutionLaunch.BLOCK : kind.block,
                        narrow ? 0 : tile.sharedBytes(kind));
        sums.add(partial, splits, args.dfilter());
    }
}
