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
        long elements = args.y().elements();
        if (elements == 0) {
            return;
        }
        int lanes = KernelByDtype.lanes(args.y());
        boolean packed =
                args.inner() % lanes == 0 && (args.x().address() | args.y().address()) % 16 == 0;
        int unit = packed ? lanes : 1;
        long inner = args.inner() / unit;
        long units = elements / unit;
        boolean narrows = args.x().dtype() != args.y().dtype();
        (narrows ? narrowing.with() : kernel.with(args.y()))
                .tensor(args.x())
                .tensor(args.y())
                .f32(args.scale())
                .words(
                        inner,
                        args.repeated() * inner,
                        by(inner, units),
                        by(args.repeated() * inner, units),
                        packed ? 1 : 0)
                .i64(units)
                .cover(units, 256, 1);
    }

    /** Not needed where there are too many units for it. */
    private static long by(long divisor, long units) {
        return units <= Integer.MAX_VALUE ? FastDivision.by(Math.toIntExact(divisor)) : 0;
    }
}
