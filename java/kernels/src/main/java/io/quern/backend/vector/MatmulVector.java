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

    /** Columns of C up to which a transposed A is the better vector operand: tiles of one vector are mostly padding. */
    private static final int NARROW = 16;

    private final WorkerPool pool;
    private final Scratch scratch;
    /** The epilogue's: {@link #scratch} is in use while it runs. */
    private final Scratch draws = new ThreadScratch();
    /** C transposed. */
    private final Scratch results = new ThreadScratch();

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

    /** What a layout is for. */
    private record PackedOperand(GemmPanels b, int n, int k) {}

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
            int m = args.m(), n = args.n(), k = args.k();
            float alpha = (float) args.alpha(), beta = (float) args.beta();
            int rowA = args.transposeA() ? -1 : -2, rowB = args.transposeB() ? -1 : -2;
            long a0 = a + behind(args.a(), item), b0 = b + behind(args.b(), item), c0 = c + behind(args.c(), item);
            long rsA = args.a().stride(rowA), csA = args.a().stride(-3 - rowA);
            long rsB = args.b().stride(rowB),
                    csB = args.b().stride(-3 - rowB),
                    ldc = args.c().stride(-2);
            Epilogue after = epilogue == null || item == 0
                    ? epilogue
                    : epilogue.shifted(behind(args.preactivation(), item), (long) item * m * n);
            if (rsA == 1 && csA > 1 && n <= NARROW && m >= 4 * n && k >= NARROW && beta == 0) {
                // The vectors run along the long side: C transposed = B transposed times A transposed.
                long turned = results.address((long) n * m * Float.BYTES);
                Gemm.multiply(n, m, k, alpha, b0, csB, rsB, a0, csA, 1, 0, turned, m, null, scratch, threads);
                GemmTranspose.all(turned, 4L * m, n, m, c0, 4 * ldc);
                if (after != null) {
                    after.apply(c0, 4 * ldc, 0, m, 0, n);
                }
            } else {
                GemmPanels rows = GemmPanels.rows(a0, rsA, csA), columns = GemmPanels.columns(b0, rsB, csB);
                GemmPacked packed = args.packing() == null
                                || args.batch() > 1
                                || k == 0
                                || n <= GemmDots.MOST_GATHERED && !GemmTile.isSlimFaster(m, n, k)
                        ? null
                        : args.packing()
                                .get(
                                        new PackedOperand(columns, n, k),
                                        GemmPacked.class,
                                        () -> GemmPacked.of(columns, n, k));
                Gemm.multiply(m, n, k, alpha, rows, columns, packed, beta, c0, ldc, after, scratch, threads);
            }
        }

        /** Bytes from the first item of a batch to another. */
        private static long behind(Tensor tensor, int item) {
            return item == 0 || tensor == null ? 0 : item * tensor.stride(0) * Float.BYTES;
        }
    }
}
