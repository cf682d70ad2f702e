package io.quern.bench;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.op.Conv2d;
import io.quern.op.Conv2dBackwardData;
import io.quern.op.Conv2dBackwardWeights;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
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

/** The three passes of a convolution, NHWC, f32, beside columns in memory multiplied by OpenBLAS. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class Conv2dBench {
    /** Batch, image, channels, filters, taps, stride, padding; then optionally dilation and groups. */
    @Param({
        "n32h28w28c1k32r5s5u1p2",
        "n32h14w14c32k64r5s5u1p2",
        "n32h32w32c16k16r3s3u1p1",
        "n32h16w16c32k32r3s3u1p1",
        "n32h8w8c64k64r3s3u1p1",
        "n32h32w32c16k32r3s3u2p1"
    })
    public String conv;

    @Param({"forward", "backward-data", "backward-weights"})
    public String pass;

    @Param({"quern", "columns-openblas"})
    public String impl;

    @Param("1")
    public int threads;

    private Backend backend;
    private ConvolutionSpec spec;
    private ConvolutionByColumns columns;
    private Tensor image;
    private Tensor filter;
    private Tensor result;
    private Runnable convolution;

    @Setup(Level.Trial)
    public void setup() {
        spec = ConvolutionSpec.parse(conv);
        backend = Backends.of("vector", threads);
        openblas.blas_set_num_threads(threads);
        columns = new ConvolutionByColumns(spec);
        image = random(1, spec.image());
        filter = random(2, spec.filter());
        result = random(3, spec.result());
        Tensor written = switch (pass) {
            case "forward" -> result;
            case "backward-data" -> image;
            default -> filter;
        };
        pass(impl.equals("quern") ? "columns-openblas" : "quern").run();
        float[] expected = written.toFloats();
        written.fill(Double.NaN);
        convolution = pass(impl);
        convolution.run();
        double terms = pass.equals("backward-weights")
                ? spec.result().elements() / (double) spec.result().size(3)
                : spec.filter().elements();
        Verify.close("conv2d " + impl + " " + pass + " " + conv, written.toFloats(), expected, 1e-5 * Math.sqrt(terms));
    }

    private static Tensor random(int stream, Shape shape) {
        return Rng.of(42).stream(stream).fillUniform(Tensor.allocate(DType.F32, shape), -1, 1);
    }

    private Runnable pass(String by) {
        boolean quern = by.equals("quern");
        if (!quern && !by.equals("columns-openblas")) {
            throw new IllegalArgumentException("impl is " + by + ", expected quern or columns-openblas");
        }
        return switch (pass) {
            case "forward" -> {
                Conv2d.Args args = new Conv2d.Args(image, filter, result, spec.geometry());
                yield quern ? () -> backend.run(Conv2d.OP, args) : () -> columns.forward(image, filter, result);
            }
            case "backward-data" -> {
                Conv2dBackwardData.Args args = new Conv2dBackwardData.Args(result, filter, image, spec.geometry());
                yield quern
                        ? () -> backend.run(Conv2dBackwardData.OP, args)
                        : () -> columns.backwardData(result, filter, image);
            }
            case "backward-weights" -> {
                Conv2dBackwardWeights.Args args =
                        new Conv2dBackwardWeights.Args(image, result, filter, spec.geometry());
                yield quern
                        ? () -> backend.run(Conv2dBackwardWeights.OP, args)
                        : () -> columns.backwardWeights(image, result, filter);
            }
            default ->
                throw new IllegalArgumentException(
                        "pass is " + pass + ", expected forward, backward-data or backward-weights");
        };
    }

    @Benchmark
    public void convolution() {
        convolution.run();
    }

    @TearDown(Level.Trial)
    public void close() {
        image.close();
        filter.close();
        result.close();
        columns.close();
        backend.close();
    }
}
