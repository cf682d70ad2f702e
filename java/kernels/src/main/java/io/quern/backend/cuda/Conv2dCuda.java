package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Conv2d;

/** conv2d.cu: tiles of an implicit matrix product, or a thread per result. */
final class Conv2dCuda implements Kernel<Conv2d.Args> {
    private final CudaKernel tiles;
    private final CudaKernel direct;

    Conv2dCuda(CudaKernels kernels) {
        tiles = kernels.get("conv2d_f32");
        direct = kernels.get("conv2d_direct_f32");
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
        boolean thin = conv.direct(conv.groupK());
        Launch launch = conv.problem((thin ? direct : tiles)
                .with()
                .tensor(args.x())
                .tensor(args.filter())
                .tensor(args.bias())
                .tensor(args.y())
                .tensor(args.preactivation())
                .i32(args.activation().ordinal()));
        if (thin) {
            launch.cover(args.y().elements(), ConvolutionLaunch.BLOCK, 1);
        } else {
            conv.tiles(launch, conv.resultPixels(), conv.groupK(), 1);
        }
    }
}
