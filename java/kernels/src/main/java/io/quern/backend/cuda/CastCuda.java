package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Cast;
import io.quern.tensor.DType;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** cast.cu: a kernel per pair of dtypes that training needs, and copies of F32, I32 and BF16. */
final class CastCuda implements Kernel<Cast.Args> {
    private static final List<Pair> PAIRS = List.of(
            new Pair(DType.F32, DType.BF16),
            new Pair(DType.BF16, DType.F32),
            new Pair(DType.F32, DType.F64),
            new Pair(DType.F64, DType.F32),
            new Pair(DType.F32, DType.I32),
            new Pair(DType.I32, DType.F32));

    private final Map<Pair, CudaKernel> byPair = new HashMap<>();

    private record Pair(DType from, DType to) {
        static Pair of(Cast.Args args) {
            return new Pair(args.x().dtype(), args.y().dtype());
        }

        String kernel() {
            return "cast_" + from.name().toLowerCase(Locale.ROOT) + "_"
                    + to.name().toLowerCase(Locale.ROOT);
        }
    }

    CastCuda(CudaKernels kernels) {
        PAIRS.forEach(pair -> byPair.put(pair, kernels.get(pair.kernel())));
        for (DType same : List.of(DType.F32, DType.I32, DType.BF16)) {
            byPair.put(new Pair(same, same), kernels.get("copy_" + same.bytes() * Byte.SIZE));
        }
    }

    @Override
    public boolean supports(Cast.Args args) {
        return args.x().isContiguous() && args.y().isContiguous() && byPair.containsKey(Pair.of(args));
    }

    @Override
    public void run(Cast.Args args) {
        byPair.get(Pair.of(args))
                .with()
                .tensor(args.x())
                .tensor(args.y())
                .i64(args.y().elements())
                .cover(args.y().elements(), 256, 4);
    }
}
