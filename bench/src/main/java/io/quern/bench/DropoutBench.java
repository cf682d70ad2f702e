package io.quern.bench;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.op.Dropout;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.concurrent.TimeUnit;
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

/** y = dropout(x) with p = 1/2, beside a loop over java.util.SplittableRandom that stores nothing either. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class DropoutBench {
    private static final double P = 0.5;

    /** Elements. */
    @Param({"4096", "65536", "16777216"})
    public int size;

    @Param({"quern", "splittable-random"})
    public String impl;

    @Param("1")
    public int threads;

    private Backend backend;
    private Tensor x;
    private Tensor y;
    private Runnable dropout;

    @Setup(Level.Trial)
    public void setup() {
        backend = Backends.of("vector", threads);
        x = Rng.of(1).fillUniform(Tensor.allocate(DType.F32, Shape.of(size)), 1, 2);
        y = Tensor.allocate(DType.F32, Shape.of(size));
        Dropout.Args args = new Dropout.Args(x, y, P, Rng.of(7));
        dropout = switch (impl) {
            case "quern" -> () -> backend.run(Dropout.OP, args);
            case "splittable-random" -> new HeapDropout(x.toFloats());
            default -> throw new IllegalArgumentException("impl is " + impl + ", expected quern or splittable-random");
        };
        if (impl.equals("quern")) {
            Dropout.OP.reference(args);
            float[] expected = y.toFloats();
            y.fill(Double.NaN);
            dropout.run();
            Verify.close("dropout " + size, y.toFloats(), expected, 0);
        }
    }

    /** What a Java programmer would write first. */
    private static final class HeapDropout implements Runnable {
        private final java.util.SplittableRandom random = new java.util.SplittableRandom(1);
        private final float[] input;
        private final float[] output;

        HeapDropout(float[] input) {
            this.input = input;
            this.output = new float[input.length];
        }

        @Override
        public void run() {
            for (int i = 0; i < input.length; i++) {
                output[i] = random.nextInt() < 0 ? 0 : 2 * input[i];
            }
        }
    }

    @Benchmark
    public void dropout() {
        dropout.run();
    }

    @TearDown(Level.Trial)
    public void close() {
        x.close();
        y.close();
        backend.close();
    }
}
