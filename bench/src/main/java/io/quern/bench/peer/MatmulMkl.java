package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.bench.Fastest;
import io.quern.op.Matmul;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.mkl.global.mkl_rt;

/** Products of MKL: plain, with b packed beforehand, or by a kernel compiled for the shape. */
public final class MatmulMkl {
    private static final int ROW_MAJOR = 101;
    private static final int PACKED = 151;
    private static final int B_MATRIX = 162;
    private static final int JIT_LIMIT = 1 << 21;

    private MatmulMkl() {}

    /** b of nn and nt is a weight, which a program can pack once; a and b of tn are both new in each step. */
    public static Contender fastest(Matmul.Args args) {
        NativeFloats a = new NativeFloats(args.a());
        NativeFloats b = new NativeFloats(args.b());
        NativeFloats c = new NativeFloats(args.c());
        int ta = args.transposeA() ? mkl_rt.CblasTrans : mkl_rt.CblasNoTrans;
        int tb = args.transposeB() ? mkl_rt.CblasTrans : mkl_rt.CblasNoTrans;
        int lda = args.a().dim(1);
        int ldb = args.b().dim(1);
        int m = args.m();
        int n = args.n();
        int k = args.k();
        Fastest fastest = new Fastest("mkl matmul")
                .or("sgemm", () -> () -> mkl_rt.cblas_sgemm(ROW_MAJOR, ta, tb, m, n, k, 1, a, lda, b, ldb, 0, c, n));
        if (!args.transposeA()) {
            fastest.or("packed", () -> {
                FloatPointer packed =
                        new FloatPointer((mkl_rt.cblas_sgemm_pack_get_size(B_MATRIX, m, n, k) + 3) / Float.BYTES);
                mkl_rt.cblas_sgemm_pack(ROW_MAJOR, B_MATRIX, tb, m, n, k, 1, b, ldb, packed);
                return new Contender() {
                    @Override
                    public void run() {
                        mkl_rt.cblas_sgemm_compute(ROW_MAJOR, ta, PACKED, m, n, k, a, lda, packed, ldb, 0, c, n);
                    }

                    @Override
                    public void close() {
                        packed.close();
                    }
                };
            });
        }
        if ((long) m * n * k <= JIT_LIMIT) {
            fastest.or("jit", () -> compiled(ta, tb, m, n, k, a, lda, b, ldb, c));
        }
        return fastest.choose();
    }

    private static Contender compiled(
            int ta, int tb, int m, int n, int k, FloatPointer a, int lda, FloatPointer b, int ldb, FloatPointer c) {
        PointerPointer<Pointer> handle = new PointerPointer<>(1);
        int status = mkl_rt.mkl_cblas_jit_create_sgemm(handle, ROW_MAJOR, ta, tb, m, n, k, 1, lda, ldb, 0, n);
        if (status == mkl_rt.MKL_JIT_ERROR) {
            throw new IllegalStateException("mkl_cblas_jit_create_sgemm: " + status);
        }
        Pointer jitter = handle.get(Pointer.class, 0);
        mkl_rt.sgemm_jit_kernel_t kernel = mkl_rt.mkl_jit_get_sgemm_ptr(jitter);
        return new Contender() {
            @Override
            public void run() {
                kernel.call(jitter, a, b, c);
            }

            @Override
            public void close() {
                mkl_rt.mkl_jit_destroy(jitter);
            }
        };
    }
}
