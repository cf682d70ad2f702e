package io.quern.bench;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.op.Matmul;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.bytedeco.openblas.global.openblas;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** c = a b in f32, beside OpenBLAS on the same memory. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class MatmulBench {
    /** MxNxK. */
    @Param({"64x64x64", "256x256x256", "512x512x512", "1024x1024x1024", "2048x2048x2048"})
    public String shape;

    /** Which operands are stored transposed: a, then b. */
    @Param("nn")
    public String layout;

    @Param({"quern", "openblas"})
    public String impl;

    @Param("1")
    public int threads;

    private Backend backend;
    private Tensor a;
    private Tensor b;
    private Tensor c;
    private Matmul.Args args;
    private Runnable product;

    @Setup(Level.Trial)
    public void setup() {
        int[] mnk = Arrays.stream(shape.split("x")).mapToInt(Integer::parseInt).toArray();
        boolean transposeA = layout.charAt(0) == 't';
        boolean transposeB = layout.charAt(1) == 't';
        a = random(1, transposeA ? Shape.of(mnk[2], mnk[0]) : Shape.of(mnk[0], mnk[2]));
        b = random(2, transposeB ? Shape.of(mnk[1], mnk[2]) : Shape.of(mnk[2], mnk[1]));
        c = Tensor.allocate(DType.F32, Shape.of(mnk[0], mnk[1]));
        args = new Matmul.Args(a, b, c, transposeA, transposeB);
        backend = Backends.of("vector", threads);
        openblas.blas_set_num_threads(threads);
        product(impl.equals("quern") ? "openblas" : "quern", mnk).run();
        float[] expected = c.toFloats();
        c.fill(0);
        product = product(impl, mnk);
        product.run();
        Verify.close("matmul " + impl + " " + shape + " " + layout, c.toFloats(), expected, 1e-5 * Math.sqrt(mnk[2]));
    }

    private static Tensor random(int stream, Shape shape) {
        return Rng.of(42).stream(stream).fillUniform(Tensor.allocate(DType.F32, shape), -1, 1);
    }

    private Runnable product(String by, int[] mnk) {
        return switch (by) {
            case "quern" -> () -> backend.run(Matmul.OP, args);
            case "openblas" -> {
                NativeFloats pa = new NativeFloats(a);
                NativeFloats pb = new NativeFloats(b);
                NativeFloats pc = new NativeFloats(c);
                int ta = args.transposeA() ? openblas.CblasTrans : openblas.CblasNoTrans;
                int tb = args.transposeB() ? openblas.CblasTrans : openblas.CblasNoTrans;
                int lda = a.dim(1);
                int ldb = b.dim(1);
                yield () -> openblas.cblas_sgemm(
                        openblas.CblasRowMajor, ta, tb, mnk[0], mnk[1], mnk[2], 1, pa, lda, pb, ldb, 0, pc, mnk[1]);
            }
            default -> throw new IllegalArgumentException("impl is " + by + ", expected quern or openblas");
        };
    }

    @Benchmark
    public void matmul() {
        product.run();
    }

    @TearDown(Level.Trial)
    public void close() {
        a.close();
        b.close();
        c.close();
        backend.close();
    }
}
