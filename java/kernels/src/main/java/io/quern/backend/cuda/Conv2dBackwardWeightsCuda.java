package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Conv2dBackwardWeights;

/**
 * conv2d.cu: partial sums over chunks of result pixels, then their sum in order. How the pixels are cut depends on the
 * problem alone, so that bits do not depend on the GPU.
 */
final class Conv2dBackwardWeightsCuda implements Kernel<Conv2dBackwardWeights.Args> {
    private static final long LEAST_CHUNK = 512;
    private static final long MOST_CHUNKS = 64;

    private final CudaKernel tiles;
    private final CudaKernel direct;
    private final CudaKernel finish;
    private final DeviceScratch scratch;

    Conv2dBackwardWeightsCuda(CudaKernels kernels) {
        tiles = kernels.get("conv2d_backward_weights_f32");
        direct = kernels.get("conv2d_backward_weights_direct_f32");
        finish = kernels.get("conv2d_backward_weights_finish_f32");
        scratch = kernels.scratch();
    }

    private static ConvolutionLaunch of(Conv2dBackwardWeights.Args args) {
        return new ConvolutionLaunch(args.x(), args.dfilter(), args.dy(), args.geometry());
    }

    @Override
    public boolean supports(Conv2dBackwardWeights.Args args) {
        return Contiguous.floats(args.x(), args.dy(), args.dfilter()) && of(args).supported();
    }

    @Override
    public void run(Conv2dBackwardWeights.Args args) {
        ConvolutionLaunch conv = of(args);
        long elements = args.dfilter().elements();
        long pixels = conv.resultPixels();
        long chunk = Math.max(LEAST_CHUNK, Math.ceilDiv(pixels, MOST_CHUNKS));
        int chunks = Math.toIntExact(Math.ceilDiv(pixels, chunk));
        long partial = scratch.doubles(chunks * elements);
        boolean thin = conv.direct(conv.groupK());
        Launch launch = conv.problem((thin ? direct : tiles)
                .with()
                .tensor(args.x())
                .tensor(args.dy())
                .i64(partial)
                .i64(chunk));
        if (thin) {
            launch.cover(elements * chunks, ConvolutionLaunch.BLOCK, 1);
        } else {
            long rows = (long) args.dfilter().dim(0) * args.dfilter().dim(1) * conv.groupC();
            conv.tiles(launch, rows, conv.groupK(), chunks);
        }
        finish.with()
                .i64(partial)
                .tensor(args.dfilter())
                .i64(elements)
                .i32(chunks)
                .cover(elements, 256, 1);
    }
}
