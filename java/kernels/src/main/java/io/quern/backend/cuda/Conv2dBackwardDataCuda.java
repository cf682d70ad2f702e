package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Conv2dBackwardData;

/** conv2d_backward_data.cu: an implicit matrix product per remainder of the stride, or a thread per strip of the image. */
final class Conv2dBackwardDataCuda implements Kernel<Conv2dBackwardData.Args> {
    /** Terms of a piece of a sum. */
    private static final long LEAST_TERMS = 256;

    private final CudaKernel[] vectors;
    private final CudaKernel[] any;
    private final CudaKernel sums;
    private final CudaKernel direct;
    private final CudaKernel depthwise;
    private final DeviceScratch scratch;

    Conv2dBackwardDataCuda(CudaKernels kernels) {
        vectors = ConvolutionTile.kernels(kernels, "conv2d_backward_data_f32", true);
        any = ConvolutionTile.kernels(kernels, "conv2d_backward_data_any_f32", false);
        sums = kernels.get("conv2d_sums_f32");
        direct = kernels.get("conv2d_backward_data_direct_f32_1");
        depthwise = kernels.get("conv2d_backward_data_direct_f32_4");
        scratch = kernels.scratch();
    }

    private static ConvolutionLaunch of(Conv2dBackwardData.Args args) {
        return new ConvolutionLaunch(args.dx(), args.filter(), args.dy(), args.geometry());
    }

    @Override
    public boolean supports(Conv2dBackwardData.Args args) {
        return Contiguous.floats(args.dy(), args.filter(), args.dx()) && of(args).supported();
    }

    @Override
    public void run(Conv2dBackwardData.Args args) {
        ConvolutionLaunch conv = of(args);
        long elements = args.dx().elements();
        if (elements == 0) {
            return;
        }
        if (conv.direct(conv.groupC()) || conv.remainders() > ConvolutionLaunch.MOST_BLOCKS) {
            int lanes = conv.lanes(null, null);
            Launch launch = conv.problem((lanes == 1 ? direct : depthwise)
                    .with()
                    .tensor(args.dy())
                    .tensor(args.filter())
                    .tensor(args.dx()));
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
        boolean fast = conv.vectors();
        ConvolutionTile tile = ConvolutionTile.of(pixels, conv.groupC(), groups * remainders, fast);
        long blocks = tile.count(pixels, conv.groupC());
        int splits = splits(conv, blocks * groups, elements);
        long target = splits == 1 ? args.dx().address() : scratch.bytes(splits * elements * Float.BYTES);
        Launch launch = (fast ? vectors : any)
                [tile.ordinal()].with()
                .tensor(args.dy())
                .tensor(args.filter())
                .i64(target);
        conv.problem(launch).i32(splits).run(blocks, groups, remainders * splits, ConvolutionLaunch.BLOCK, 0);
        if (splits > 1) {
            sums.with()
                    .i64(target)
                    .tensor(args.dx())
                    .i64(elements)
                    .i32(splits)
                    .cover(elements, ConvolutionLaunch.BLOCK, 1);
        }
    }

    /** Pieces of the sums of one remainder, whose taps are a share of all. */
    private static int splits(ConvolutionLaunch conv, long blocks, long elements) {
        long remainders = conv.remainders();
        long terms = conv.filter().size(0) * conv.filter().size(1) * conv.groupK() / remainders;
        int splits = ConvolutionLaunch.splits(blocks * remainders, ConvolutionTile.MANY, terms, LEAST_TERMS, elements);
        return remainders * splits <= ConvolutionLaunch.MOST_BLOCKS ? splits : 1;
    }
}
