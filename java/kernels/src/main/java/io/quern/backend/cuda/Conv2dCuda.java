package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Conv2d;
import io.quern.tensor.DType;

/** conv2d.cu: tiles of an implicit matrix product, on CUDA or tensor cores, or a thread per strip of results. */
final class Conv2dCuda implements Kernel<Conv2d.Args> {
    /** Terms of a piece of a sum. */
    private static final long LEAST_TERMS = 256;

    private final ConvolutionTiles tiles;
    private final ConvolutionSums sums;
    private final DirectKernels direct;

    Conv2dCuda(CudaKernels kernels) {
        tiles = new ConvolutionTiles(kernels, "conv2d");
        sums = new ConvolutionSums(kernels);
        direct = new DirectKernels(kernels, "conv2d_direct");
    }

    private static ConvolutionLaunch of(Conv2d.Args args) {
        return new ConvolutionLaunch(args.x(), args.filter(), args.y(), args.geometry());
    }

    @Override
    public boolean supports(Conv2d.Args args) {
        ConvolutionLaunch conv = of(args);
        return Contiguous.all(args.x().dtype(), args.x(), args.filter())
                && Contiguous.all(args.y().dtype(), args.bias(), args.y(), args.preactivation())
                && args.x().dtype() != DType.F64
                && conv.supported(conv.kind(args.precision()));
    }

    @Override
    public void run(Conv2d.Args args) {
        ConvolutionLaunch conv = of(args);
        ProductKind kind = conv.kind(args.precision());
        long elements = args.y().elements();
        if (elements == 0) {
            return;
        }
        long[] end = ConvolutionSums.end(args.bias(), args.y(), args.preactivation(), args.activation());
        if (conv.direct(conv.groupK())) {
            int lanes = conv.lanes(kind, args.bias(), args.preactivation());
            Launch launch = direct.get(kind, lanes)
                    .with()
                    .tensor(args.x())
                    .tensor(args.filter())
                    .words(end);
            StripLaunch strips = new StripLaunch(args.y(), lanes, ConvolutionLaunch.STRIP);
            strips.run(strips.add(conv.problem(launch)));
            return;
        }
        int groups = args.geometry().groups();
        boolean wide = conv.vectors(kind);
        ConvolutionTile tile = ConvolutionTile.of(conv.resultPixels(), conv.groupK(), groups, kind, wide);
        long blocks = tile.count(conv.resultPixels(), conv.groupK());
        int splits =
                ConvolutionLaunch.splits(blocks * groups, ConvolutionTile.MANY, conv.terms(), LEAST_TERMS, elements);
        long partial = sums.partial(args.y(), splits);
        Launch launch = tiles.get(kind, tile, wide)
                .with()
                .tensor(args.x())
                .tensor(args.filter())
                .words(end)
                .i64(partial);
        conv.problem(launch).run(blocks, groups, splits, kind.block, tile.sharedBytes(kind));
        sums.add(partial, splits, args.y(), end);
    }
}
