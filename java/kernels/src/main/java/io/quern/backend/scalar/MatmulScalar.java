package io.quern.backend.scalar;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.ActivationKind;
import io.quern.op.Matmul;
import io.quern.tensor.DType;
import io.quern.tensor.Tensor;

/** Rows of c as sums of scaled rows of b: the inner loop is an axpy over arrays. */
final class MatmulScalar implements Kernel<Matmul.Args> {
    /** Rows of c per block of parallel work. */
    private static final int ROWS = 16;

    private final WorkerPool pool;
    private final HeapCopy left = new HeapCopy();
    private final HeapCopy right = new HeapCopy();
    private final HeapCopy swap = new HeapCopy();
    private final HeapCopy result = new HeapCopy();

    MatmulScalar(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(Matmul.Args args) {
        for (Tensor tensor : args.inputs()) {
            if (tensor.dtype() != DType.F32 || !tensor.isContiguous()) {
                return false;
            }
        }
        return args.c().isContiguous()
                && (args.preactivation() == null || args.preactivation().isContiguous())
                && Math.max(
                                args.a().elements(),
                                Math.max(args.b().elements(), args.c().elements()))
                        < 1 << 30;
    }

    @Override
    public void run(Matmul.Args args) {
        int m = args.m();
        int n = args.n();
        int k = args.k();
        float[] a = rowMajor(args.a(), left, args.transposeA(), args.batch(), m, k);
        float[] b = rowMajor(args.b(), right, args.transposeB(), args.batch(), k, n);
        float[] c = args.beta() == 0 ? result.ofSize(args.c().elements()) : result.of(args.c());
        float[] bias = args.bias() == null ? null : args.bias().toFloats();
        int rows = Math.toIntExact(args.batch() * m);
        pool.run((rows + ROWS - 1) / ROWS, block -> {
            for (int row = block * ROWS; row < Math.min(rows, (block + 1) * ROWS); row++) {
                row(args, a, row * k, b, row / Math.max(1, m) * k * n, bias, c, row * n);
            }
        });
    }

    private static void row(Matmul.Args args, float[] a, int ai, float[] b, int bi, float[] bias, float[] c, int ci) {
        int n = args.n();
        int k = args.k();
        float beta = (float) args.beta();
        float alpha = (float) args.alpha();
        for (int j = 0; j < n; j++) {
            c[ci + j] = beta == 0 ? 0 : beta * c[ci + j];
        }
        for (int p = 0; p < k; p++) {
            axpy(alpha * a[ai + p], b, bi + p * n, c, ci, n);
        }
        for (int j = 0; bias != null && j < n; j++) {
            c[ci + j] += bias[j];
        }
        long at = 4L * ci;
        if (args.preactivation() != null) {
            HeapCopy.write(c, ci, n, args.preactivation().address() + at);
        }
        if (args.activation() != ActivationKind.NONE) {
            for (int j = 0; j < n; j++) {
                c[ci + j] = (float) args.activation().value(c[ci + j]);
            }
        }
        if (args.dropout() != null) {
            for (int j = 0; j < n; j++) {
                c[ci + j] = (float) args.dropout().apply(ci + j, c[ci + j]);
            }
        }
        HeapCopy.write(c, ci, n, args.c().address() + at);
    }

    static void axpy(float factor, float[] x, int xi, float[] y, int yi, int n) {
        for (int j = 0; j < n; j++) {
            y[yi + j] += factor * x[xi + j];
        }
    }

    /** The tensor as batch x rows x columns, transposed if it is stored the other way. */
    private float[] rowMajor(Tensor tensor, HeapCopy target, boolean transposed, long batch, int rows, int columns) {
        if (!transposed) {
            return target.of(tensor);
        }
        float[] stored = swap.of(tensor);
        float[] turned = target.ofSize(tensor.elements());
        for (int item = 0; item < batch; item++) {
            int base = item * rows * columns;
            for (int r = 0; r < rows; r++) {
                for (int column = 0; column < columns; column++) {
                    turned[base + r * columns + column] = stored[base + column * rows + r];
                }
            }
        }
        return turned;
    }
}
