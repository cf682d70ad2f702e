package io.quern.backend.cuda;

import io.quern.op.DropoutMask;
import io.quern.op.Matmul;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Tensor;

/** The parameters that all kernels of matmul.cuh end with. */
final class MatmulProblem {
    private static final Rng NO_DRAWS = Rng.of(0);

    private MatmulProblem() {}

    /**
     * Adds them to a launch.
     *
     * @param partial address of partial sums, [splits][batch][m][n], or 0
     */
    static Launch add(Launch launch, Matmul.Args args, int splits, long partial) {
        launch.words(words(args, splits, partial));
        return args.dropout() == null
                ? launch.rng(NO_DRAWS).tensor(null)
                : launch.generator(args.dropout().rng());
    }

    /** Problem, as 64-bit words. */
    private static long[] words(Matmul.Args args, int splits, long partial) {
        DropoutMask mask = args.dropout();
        boolean narrow = args.c().dtype() == DType.BF16;
        return new long[] {
            args.a().address(),
            args.b().address(),
            address(args.bias()),
            args.c().address(),
            address(args.preactivation()),
            partial,
            Launch.pair(args.m(), args.n()),
            Launch.pair(args.k(), Math.toIntExact(args.batch())),
            (long) args.m() * args.k(),
            (long) args.k() * args.n(),
            (long) args.m() * args.n(),
            Launch.pair(Float.floatToRawIntBits((float) args.alpha()), Float.floatToRawIntBits((float) args.beta())),
            Launch.pair(args.activation().ordinal(), splits),
            mask == null ? 0 : Launch.pair(mask.threshold(), Float.floatToRawIntBits(mask.scale())),
            narrow ? 1 : 0
        };
    }

    private static long address(Tensor tensor) {
        return tensor == null ? 0 : tensor.address();
    }
}
