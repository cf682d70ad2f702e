package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Broadcast;

/** broadcast.cu. */
final class BroadcastCuda implements Kernel<Broadcast.Args> {
    private final KernelByDtype kernel;
    private final CudaKernel narrowing;

    BroadcastCuda(CudaKernels kernels) {
        kernel = new KernelByDtype(kernels, "broadcast");
        narrowing = kernels.get("broadcast_f32_bf16");
    }

    @Override
    public boolean supports(Broadcast.Args args) {
        return KernelByDtype.takes(args.x()) && KernelByDtype.takes(args.y());
    }

    @Override
    public void run(Broadcast.Args args) {
        boolean narrows = args.x().dtype() != args.y().dtype();
        (narrows ? narrowing.with() : kernel.with(args.y()))
                .tensor(args.x())
                .tensor(args.y())
                .f32(args.scale())
                .i64(args.repeated())
                .i64(args.inner())
                .i64(args.y().elements())
                .cover(args.y().elements(), 256, 1);
    }
}
