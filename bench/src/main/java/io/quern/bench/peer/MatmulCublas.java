package io.quern.bench.peer;

import static io.quern.bench.peer.CudaLibraries.check;

import io.quern.backend.cuda.CudaBackend;
import io.quern.bench.Contender;
import io.quern.op.Matmul;
import io.quern.op.Precision;
import io.quern.tensor.DType;
import org.bytedeco.cuda.cublas.cublasContext;
import org.bytedeco.cuda.global.cublas;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.FloatPointer;

/**
 * cublasSgemm, and cublasGemmEx for BF16 and TF32. Their matrices are column-major: the transpose of everything, with the
 * operands exchanged.
 */
final class MatmulCublas implements Contender {
    private final cublasContext handle = new cublasContext();
    private final FloatPointer one = new FloatPointer(1f);
    private final FloatPointer zero = new FloatPointer(0f);
    private final NativeFloats a;
    private final NativeFloats b;
    private final NativeFloats c;
    private final Matmul.Args args;

    MatmulCublas(Matmul.Args args, CudaBackend backend) {
        CudaLibraries.load(cublas.class);
        this.args = args;
        a = new NativeFloats(args.a());
        b = new NativeFloats(args.b());
        c = new NativeFloats(args.c());
        check("cublasCreate", cublas.cublasCreate_v2(handle));
        check("cublasSetStream", cublas.cublasSetStream_v2(handle, CudaLibraries.stream(backend)));
        check("cublasSetMathMode", cublas.cublasSetMathMode(handle, cublas.CUBLAS_DEFAULT_MATH));
    }

    @Override
    public void run() {
        if (args.a().dtype() == DType.BF16) {
            multiply(cudart.CUDA_R_16BF, cublas.CUBLAS_COMPUTE_32F);
        } else if (args.precision() == Precision.TF32) {
            multiply(cudart.CUDA_R_32F, cublas.CUBLAS_COMPUTE_32F_FAST_TF32);
        } else {
            multiply();
        }
    }

    private void multiply(int type, int compute) {
        int status = cublas.cublasGemmEx(
                handle,
                args.transposeB() ? cublas.CUBLAS_OP_T : cublas.CUBLAS_OP_N,
                args.transposeA() ? cublas.CUBLAS_OP_T : cublas.CUBLAS_OP_N,
                args.n(),
                args.m(),
                args.k(),
                one,
                b,
                type,
                args.b().dim(1),
                a,
                type,
                args.a().dim(1),
                zero,
                c,
                type,
                args.n(),
                compute,
                cublas.CUBLAS_GEMM_DEFAULT);
        check("cublasGemmEx", status);
    }

    private void multiply() {
        int status = cublas.cublasSgemm_v2(
                handle,
                args.transposeB() ? cublas.CUBLAS_OP_T : cublas.CUBLAS_OP_N,
                args.transposeA() ? cublas.CUBLAS_OP_T : cublas.CUBLAS_OP_N,
                args.n(),
                args.m(),
                args.k(),
                one,
                b,
                args.b().dim(1),
                a,
                args.a().dim(1),
                zero,
                c,
                args.n());
        check("cublasSgemm", status);
    }

    @Override
    public void close() {
        cublas.cublasDestroy_v2(handle);
    }
}
