package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Broadcast;

/** broadcast.cu. */
final class BroadcastCuda implements Kernel<Broadcast.Args> {
    private final CudaKernel kernel;

    BroadcastCuda(CudaKernels kernels) {
        kernel = kernels.get("broadcast_f32");
    }

    @Override
    public boolean supports(Broadcast.Args args) {
        return Contiguous.floats(args.x(), args.y());
    }

    @Override
    public void run(Broadcast.Args args) {
        kernel.with()
                .tensor(args.x())
                .tensor(args.y())
                .f32(args.scale())
                .i64(args.repeated())
                .i64(args.inner())
                .i64(args.y().elements())
                .cover(args.y().elements(), 256, 1);
    }
}
