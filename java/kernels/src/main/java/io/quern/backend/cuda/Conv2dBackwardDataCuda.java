package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Conv2dBackwardData;

/** conv2d.cu: tiles of an implicit matrix product, or a thread per image element. */
final class Conv2dBackwardDataCuda implements Kernel<Conv2dBackwardData.Args> {
    private final CudaKernel tiles;
    private final CudaKernel direct;

    Conv2dBackwardDataCuda(CudaKernels kernels) {
        tiles = kernels.get("conv2d_backward_data_f32");
        direct = kernels.get("conv2d_backward_data_direct_f32");
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
        boolean thin = conv.direct(conv.groupC());
        Launch launch = conv.problem((thin ? direct : tiles)
                .with()
                .tensor(args.dy())
                .tensor(args.filter())
                .tensor(args.dx()));
        if (thin) {
            launch.cover(args.dx().elements(), ConvolutionLaunch.BLOCK, 1);
        } else {
            conv.tiles(launch, conv.imagePixels(), conv.groupC(), 1);
        }
    }
}
