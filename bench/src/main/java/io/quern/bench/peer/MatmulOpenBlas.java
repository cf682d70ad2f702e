package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.op.Matmul;
import org.bytedeco.openblas.global.openblas;

/** cblas_sgemm of OpenBLAS on the shared memory. */
public final class MatmulOpenBlas implements Contender {
    private final NativeFloats a;
    private final NativeFloats b;
    private final NativeFloats c;
    private final int transposeA;
    private final int transposeB;
    private final int m;
    private final int n;
    private final int k;
    private final int lda;
    private final int ldb;

    public MatmulOpenBlas(Matmul.Args args) {
        a = new NativeFloats(args.a());
        b = new NativeFloats(args.b());
        c = new NativeFloats(args.c());
        transposeA = args.transposeA() ? openblas.CblasTrans : openblas.CblasNoTrans;
        transposeB = args.transposeB() ? openblas.CblasTrans : openblas.CblasNoTrans;
        m = args.m();
        n = args.n();
        k = args.k();
        lda = args.a().dim(1);
        ldb = args.b().dim(1);
    }

    @Override
    public void run() {
        openblas.cblas_sgemm(openblas.CblasRowMajor, transposeA, transposeB, m, n, k, 1, a, lda, b, ldb, 0, c, n);
    }
}
