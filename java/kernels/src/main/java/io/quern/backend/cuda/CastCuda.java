package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Cast;
import io.quern.tensor.DType;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;

/** cast.cu: a kernel per pair of dtypes, and copies by the size of an element. */
final class CastCuda implements Kernel<Cast.Args> {
    private final Map<DType, Map<DType, CudaKernel>> kernels = new EnumMap<>(DType.class);

    CastCuda(CudaKernels all) {
        for (DType from : DType.values()) {
            Map<DType, CudaKernel> byTarget = new EnumMap<>(DType.class);
            for (DType to : DType.values()) {
                String copy = "copy_" + from.bytes() * Byte.SIZE;
                byTarget.put(to, all.get(from == to ? copy : "cast_" + label(from) + "_" + label(to)));
            }
            kernels.put(from, byTarget);
        }
    }

    private static String label(DType dtype) {
        return dtype.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public boolean supports(Cast.Args args) {
        return args.x().isContiguous() && args.y().isContiguous();
    }

    @Override
    public void run(Cast.Args args) {
        kernels.get(args.x().dtype())
                .get(args.y().dtype())
                .with()
                .tensor(args.x())
                .tensor(args.y())
                .i64(args.y().elements())
                .cover(args.y().elements(), 256, 4);
    }
}
