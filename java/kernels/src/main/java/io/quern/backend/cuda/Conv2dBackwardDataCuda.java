package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Conv2dBackwardData;
import io.quern.tensor.DType;

/** conv2d_backward_data.cu: an implicit matrix product per remainder of the stride, or a thread per strip of the image. */
final class Conv2dBackwardDataCuda implements Kernel<Conv2dBackwardData.Args> {
    /** Terms of a piece of a sum. */
    private static final long LEAST_TERMS = 256;

    private final ConvolutionTiles tiles;
    private final ConvolutionSums sums;
    private final DirectKernels direct;

    Conv2dBackwardDataCuda(CudaKernels kernels) {
        tiles = new ConvolutionTiles(kernels, "conv2d_backward_data");
        sums = new ConvolutionSums(kernels);
        direct = new DirectKernels(kernels, "conv2d_backward_data_direct");
    }

    private static ConvolutionLaunch of(Conv2dBackwardData.Args args) {
        return new ConvolutionLaunch(args.dx(), args.filter(), args.dy(), args.geometry());
    }

    @Override
    public boolean supports(Conv2dBackwardData.Args args) {
        ConvolutionLaunch conv = of(args);
        return Contiguous.all(args.dy().dtype(), args.dy(), args.filter())
                && args.dx().isContiguous()
                && args.dy().dtype() != DType.F64
                && conv.supported(conv.kind(args.precision()));
    }

    @Override
    public void run(Conv2dBackwardData.Args args) {
        ConvolutionLaunch conv = of(args);
        ProductKind kind = conv.kind(args.precision());
        long elements = args.dx().elements();
        if (elements == 0) {
            return;
        }
        if (conv.direct(conv.groupC()) || conv.remainders() > ConvolutionLaunch.MOST_BLOCKS) {
            int lanes = conv.lanes(kind, null, null);
            Launch launch = conv.problem(direct.get(kind, lanes)
                    .with()
                    .tensor(args.dy())
                    .tensor(args.filter())
                    .words(ConvolutionSums.target(args.dx(), 0)));
            StripLaunch strips = new StripLaunch(args.dx(), lanes, ConvolutionLaunch.STRIP);
            strips.run(strips.add(launch)
                    .words(FastDivision.by(args.geometry().strideH()))
                    .words(FastDivision.by(args.geometry().strideW())));
            return;
        }
        int groups = args.geometry().groups();
        long remainders = conv.remainders();
        long pixels = args.dx().size(0)
                * Math.ceilDiv(args.dx().size(1), (long) args.geometry().strideH())
                * Math.ceilDiv(args.dx().size(2), (long) args.geometry().strideW());
        boolean wide = conv.vectors(kind);
        ConvolutionTile tile = ConvolutionTile.of(pixels, conv.groupC(), groups * remainders, kind, wide);
        long blocks = tile.count(pixels, conv.groupC());
        int splits = splits(conv, blocks * groups, elements);
        long partial = sums.partial(args.dx(), splits);
        Launch launch = tiles.get(kind, tile, wide)
                .with()
                .tensor(args.dy())
                .tensor(args.filter())
                .words(ConvolutionSums.target(args.dx(), partial));
        conv.problem(launch).i32(splits).run(blocks, groups, remainders * splits, kind.block, tile.sharedBytes(kind));
        sums.add(partial, splits, args.dx());
    }

    /** Pieces of the sums of one remainder, whose taps are a share of all. */
    private static int splits(ConvolutionLaunch conv, long blocks, long elements) {
        long remainders = conv.remainders();
        long terms = conv.filter().size(0) * conv.filter().size(1) * conv.groupK() / remainders;
        int splits = ConvolutionLaunch.splits(blocks * remainders, ConvolutionTile.MANY, terms, LEAST_TERMS, elements);
        return remainders * splits <= ConvolutionLaunch.MOST_BLOCKS ? splits : 1;
    }
}
