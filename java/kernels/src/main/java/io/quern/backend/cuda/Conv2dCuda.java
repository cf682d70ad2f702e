package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Conv2d;
import io.quern.tensor.Tensor;

/** conv2d.cu: tiles of an implicit matrix product, or a thread per strip of results. */
final class Conv2dCuda implements Kernel<Conv2d.Args> {
    /** Terms of a piece of a sum. */
    private static final long LEAST_TERMS = 256;

    private final CudaKernel[] vectors;
    private final CudaKernel[] any;
    private final CudaKernel finish;
    private final CudaKernel direct;
    private final CudaKernel depthwise;
    private final DeviceScratch scratch;

    Conv2dCuda(CudaKernels kernels) {
        vectors = ConvolutionTile.kernels(kernels, "conv2d_f32", true);
        any = ConvolutionTile.kernels(kernels, "conv2d_any_f32", false);
        finish = kernels.get("conv2d_finish_f32");
        direct = kernels.get("conv2d_direct_f32_1");
        depthwise = kernels.get("conv2d_direct_f32_4");
        scratch = kernels.scratch();
    }

    private static ConvolutionLaunch of(Conv2d.Args args) {
        return new ConvolutionLaunch(args.x(), args.filter(), args.y(), args.geometry());
    }

    @Override
    public boolean supports(Conv2d.Args args) {
        return Contiguous.floats(args.x(), args.filter(), args.bias(), args.y(), args.preactivation())
                && of(args).supported();
    }

    @Override
    public void run(Conv2d.Args args) {
        ConvolutionLaunch conv = of(args);
        long elements = args.y().elements();
        if (elements == 0) {
            return;
        }
        if (conv.direct(conv.groupK())) {
            int lanes = conv.lanes(args.bias(), args.preactivation());
            Launch launch = conv.problem(epilogue(operands(lanes == 1 ? direct : depthwise, args), args));
            StripLaunch strips = new StripLaunch(args.y(), lanes, ConvolutionLaunch.STRIP);
            strips.run(strips.add(launch));
            return;
        }
        int groups = args.geometry().groups();
        boolean fast = conv.vectors();
        ConvolutionTile tile = ConvolutionTile.of(conv.resultPixels(), conv.groupK(), groups, fast);
        long blocks = tile.count(conv.resultPixels(), conv.groupK());
        int splits =
                ConvolutionLaunch.splits(blocks * groups, ConvolutionTile.MANY, conv.terms(), LEAST_TERMS, elements);
        long partial = splits == 1 ? 0 : scratch.bytes(splits * elements * Float.BYTES);
        CudaKernel kernel = (fast ? vectors : any)[tile.ordinal()];
        conv.problem(epilogue(operands(kernel, args), args).i64(partial))
                .run(blocks, groups, splits, ConvolutionLaunch.BLOCK, 0);
        if (splits > 1) {
            epilogue(finish.with().i64(partial), args)
                    .i64(elements)
                    .i32(args.y().dim(3))
                    .i32(splits)
                    .cover(elements, ConvolutionLaunch.BLOCK, 1);
        }
    }

    private static Launch operands(CudaKernel kernel, Conv2d.Args args) {
        return kernel.with().tensor(args.x()).tensor(args.filter());
    }

    /** Epilogue of conv2d.cu. */
    private static Launch epilogue(Launch launch, Conv2d.Args args) {
        return launch.words(
                address(args.bias()),
                args.y().address(),
                address(args.preactivation()),
                args.activation().ordinal());
    }

    private static long address(Tensor tensor) {
        return tensor == null ? 0 : tensor.address();
    }
}
