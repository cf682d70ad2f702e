package io.quern.backend.vector;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Matmul;
import io.quern.tensor.DType;
import io.quern.tensor.Tensor;

/** c = d(f(alpha op(a) op(b) + beta c + bias)) on {@link Gemm}; operands of any strides, c of unit column stride. */
final class MatmulVector implements Kernel<Matmul.Args> {
    /** Multiply-adds of an item of a batch below which threads share out items rather than an item's blocks. */
    private static final long SMALL = 1L << 22;

    private final WorkerPool pool;
    private final Scratch scratch;
    /** The epilogue's: {@link #scratch} is in use while it runs. */
    private final Scratch draws = new ThreadScratch();

    MatmulVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    @Override
    public boolean supports(Matmul.Args args) {
        return args.a().dtype() == DType.F32
                && rows(args.c())
                && (args.bias() == null || args.bias().isContiguous())
                && (args.preactivation() == null
                        || rows(args.preactivation())
                                && args.preactivation().stride(-2) == args.c().stride(-2));
    }

    /** True when the elements of a row are neighbours. */
    private static boolean rows(Tensor c) {
        return c.isContiguous() || c.stride(-1) == 1;
    }

    @Override
    public void run(Matmul.Args args) {
        int batch = Math.toIntExact(args.batch());
        Call call = new Call(args);
        if (batch > 1 && (long) args.m() * args.n() * args.k() < SMALL) {
            pool.run(batch, item -> call.run(item, null));
        } else {
            for (int item = 0; item < batch; item++) {
                call.run(item, pool);
            }
        }
    }

    private final class Call {
        private final Matmul.Args args;
        private final long a;
        private final long b;
        private final long c;
        private final FusedEpilogue epilogue;

        Call(Matmul.Args args) {
            this.args = args;
            a = args.a().address();
            b = args.b().address();
            c = args.c().address();
            epilogue = FusedEpilogue.of(
                    args.bias(),
                    args.preactivation(),
                    args.activation(),
                    FusedEpilogue.Dropping.of(args.dropout(), args.n(), draws));
        }

        void run(int item, WorkerPool threads) {
            int rowA = args.transposeA() ? -1 : -2;
            int rowB = args.transposeB() ? -1 : -2;
            Gemm.multiply(
                    args.m(),
                    args.n(),
                    args.k(),
                    (float) args.alpha(),
                    a + behind(args.a(), item),
                    args.a().stride(rowA),
                    args.a().stride(-3 - rowA),
                    b + behind(args.b(), item),
                    args.b().stride(rowB),
                    args.b().stride(-3 - rowB),
                    (float) args.beta(),
                    c + behind(args.c(), item),
                    args.c().stride(-2),
                    epilogue == null || item == 0
                            ? epilogue
                            : epilogue.shifted(behind(args.preactivation(), item), (long) item * args.m() * args.n()),
                    scratch,
                    threads);
        }

        /** Bytes from the first item of a batch to another. */
        private static long behind(Tensor tensor, int item) {
            return item == 0 || tensor == null ? 0 : item * tensor.stride(0) * Float.BYTES;
        }
    }
}
