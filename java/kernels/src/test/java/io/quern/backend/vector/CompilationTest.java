package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.op.CaseTensors;
import io.quern.op.Conv2dBackwardWeights;
import io.quern.op.Conv2dGeometry;
import io.quern.op.Matmul;
import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.op.Ops;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Every kernel method is small enough for C1, the first of HotSpot's compilers. One that C1 gives up on waits in the
 * interpreter for C2, on a busy machine for ever: a hundred times slower.
 */
class CompilationTest {
    /** With the machine's registers, and with the 16 of older x86, which have tiles of their own; the former with machine code and without. */
    @ParameterizedTest(name = "UseAVX={0}, machine code {1}")
    @CsvSource({"3, true", "3, false", "2, true"})
    void firstCompilerTakesEveryMethod(int avx, boolean code) throws IOException, InterruptedException {
        Assumptions.assumeTrue(
                ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
                "the module jdk.incubator.vector is not loaded in this JVM");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-modules",
                        "jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:+UseSerialGC",
                        "-XX:+IgnoreUnrecognizedVMOptions",
                        "-XX:UseAVX=" + avx,
                        "-Dquern.vector.streaming=" + code,
                        "-Xbatch",
                        "-XX:TieredStopAtLevel=3",
                        "-XX:CompileCommand=CompileThresholdScaling,io.quern.backend.vector.*::*,0.001",
                        "-XX:+PrintCompilation",
                        "-cp",
                        System.getProperty("java.class.path"),
                        CompilationTest.class.getName())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        assertTrue(output.contains("io.quern.backend.vector.AddVector::add"), "nothing was compiled:\n" + output);
        List<String> skipped =
                output.lines().filter(line -> line.contains("COMPILE SKIPPED")).toList();
        assertEquals(List.of(), skipped);
        for (String large :
                avx == 3 ? List.of("GemmChunks::multiply", "GemmFilterGradient::block") : List.<String>of()) {
            assertTrue(output.contains("io.quern.backend.vector." + large), large + " was not compiled:\n" + output);
        }
    }

    /** Runs the cases of every op, so that every kernel method is called and hence compiled. */
    public static void main(String[] args) {
        try (VectorBackend backend = VectorBackend.open(1)) {
            Ops.ALL.forEach(op -> runCases(backend, op));
            runLarge(backend);
        }
    }

    /** What the cases are too small for: a product in chunks, and gradients by the filter in blocks of pixels. */
    private static void runLarge(VectorBackend backend) {
        try (Tensors tensors = new Tensors()) {
            Tensor a = tensors.finite(2000, 20), b = tensors.finite(2000, 70), c = tensors.finite(20, 70);
            backend.run(Matmul.OP, new Matmul.Args(a, b, c, true, false));
            for (int stride = 1; stride <= 2; stride++) {
                Conv2dGeometry geometry = Conv2dGeometry.UNIT.withStride(stride);
                Tensor x = tensors.finite(1, 40, 40, 232), dfilter = tensors.finite(1, 1, 232, 300);
                Tensor dy = tensors.finite(1, 40 / stride, 40 / stride, 300);
                backend.run(Conv2dBackwardWeights.OP, new Conv2dBackwardWeights.Args(x, dy, dfilter, geometry));
            }
        }
    }

    private static <A extends OpArgs> void runCases(VectorBackend backend, Op<A> op) {
        op.cases().forEach(c -> {
            try (Tensors tensors = new Tensors()) {
                A args = c.build().apply(tensors);
                if (backend.kernels().covers(op, args)) {
                    backend.run(op, args);
                }
            }
        });
    }

    /** Zeros: only the code matters here. */
    private static final class Tensors implements CaseTensors, AutoCloseable {
        private final List<Tensor> tensors = new ArrayList<>();

        @Override
        public DType dtype() {
            return DType.F32;
        }

        @Override
        public Tensor input(DType dtype, Shape shape, double low, double high) {
            return allocate(dtype, shape).fill(Math.max(0, low));
        }

        @Override
        public Tensor finite(long... extents) {
            return allocate(DType.F32, Shape.of(extents));
        }

        @Override
        public Tensor indices(Shape shape, int low, int high) {
            return allocate(DType.I32, shape).fill(low);
        }

        @Override
        public Tensor output(DType dtype, Shape shape) {
            return allocate(dtype, shape);
        }

        private Tensor allocate(DType dtype, Shape shape) {
            Tensor tensor = Tensor.allocate(dtype, shape);
            tensors.add(tensor);
            return tensor;
        }

        @Override
        public void close() {
            tensors.forEach(Tensor::close);
        }
    }
}
