package io.quern.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backends;
import io.quern.op.ActivationKind;
import io.quern.op.ArgsMap;
import io.quern.op.Bound;
import io.quern.op.Conv2d;
import io.quern.op.Conv2dBackwardData;
import io.quern.op.Conv2dBackwardWeights;
import io.quern.op.Conv2dGeometry;
import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.op.Precision;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import io.quern.testing.CudaDevices;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every kernel of the three passes, each at a size where it is the one that is chosen; the harness has the small shapes. */
@Tag("cuda")
class Conv2dCudaTest {
    private static final Conv2dGeometry SAME = Conv2dGeometry.UNIT.withPadding(1);

    /** Names of the kernels, and the pieces of their sums, of forward, backward by the image, backward by the filter. */
    private record Kernels(String forward, String data, String weights) {}

    private record Problem(int n, int h, int w, int c, int r, int s, int k, Conv2dGeometry geometry, Kernels kernels) {
        Shape image() {
            return Shape.of(n, h, w, c);
        }

        Shape filter() {
            return Shape.of(r, s, c / geometry.groups(), k);
        }

        Shape result() {
            return geometry.resultShape(image(), filter());
        }
    }

    /** Sizes at which tensor cores, or what stands in for them in narrow groups, are chosen; by bf16 and tf32 alike. */
    private static Stream<Problem> narrowProblems() {
        return Stream.of(
                // many groups make many tiles of few pixels, some of which stick out
                new Problem(
                        1,
                        13,
                        11,
                        512,
                        1,
                        2,
                        4608,
                        Conv2dGeometry.UNIT.withGroups(64),
                        new Kernels("*_128x128", "*_128x64", "*_64x64")),
                new Problem(
                        1,
                        13,
                        11,
                        4608,
                        1,
                        2,
                        512,
                        Conv2dGeometry.UNIT.withGroups(64),
                        new Kernels("*_128x64", "*_128x128", "*_128x64")),
                // several remainders of the stride, each with tiles of its own
                new Problem(
                        1,
                        23,
                        22,
                        16,
                        4,
                        5,
                        8,
                        SAME.withStride(6, 2).withDilation(4, 3).withPadding(3),
                        new Kernels("*_64x64", "*_64x64", "*_128x64")),
                // sums in pieces
                new Problem(1, 6, 6, 96, 3, 3, 200, SAME, new Kernels("*_64x64 3", "*_64x64 7", "*_128x128")),
                new Problem(2, 24, 24, 16, 3, 3, 72, SAME, new Kernels("*_64x64", "*_64x64 2", "*_128x128 4")),
                new Problem(1, 40, 26, 5, 2, 3, 7, SAME, new Kernels("any_*_64x64", "any_*_64x64", "any_*_64x64 4")),
                // a first layer
                new Problem(
                        1,
                        29,
                        31,
                        3,
                        7,
                        7,
                        16,
                        Conv2dGeometry.UNIT.withStride(2).withPadding(3),
                        new Kernels("any_*_64x64", "direct_+_1", "any_*_64x64")),
                // depthwise, and between
                new Problem(
                        2,
                        9,
                        10,
                        72,
                        3,
                        3,
                        72,
                        SAME.withGroups(72),
                        new Kernels("direct_+_#", "direct_+_#", "direct_+_#")),
                new Problem(
                        1,
                        9,
                        10,
                        18,
                        3,
                        3,
                        18,
                        SAME.withGroups(18),
                        new Kernels("direct_+_1", "direct_+_1", "direct_+_1")),
                new Problem(
                        1,
                        9,
                        10,
                        12,
                        3,
                        3,
                        24,
                        SAME.withGroups(4),
                        new Kernels("direct_+_1", "direct_+_1", "direct_+_1")));
    }

    private static Stream<Problem> problems() {
        return Stream.of(
                // many groups make many tiles of few pixels
                new Problem(
                        1,
                        12,
                        11,
                        256,
                        2,
                        3,
                        4352,
                        SAME.withGroups(64),
                        new Kernels("f32_128x128", "direct_f32_1", "f32_64x64")),
                new Problem(
                        1,
                        12,
                        11,
                        576,
                        2,
                        3,
                        576,
                        SAME.withGroups(64),
                        new Kernels("any_f32_128x64", "any_f32_128x64", "any_f32_64x64")),
                new Problem(
                        1,
                        12,
                        11,
                        512,
                        2,
                        3,
                        512,
                        SAME.withGroups(64),
                        new Kernels("f32_128x64", "f32_128x64", "f32_64x64")),
                // several remainders of the stride, each with tiles of its own
                new Problem(
                        1,
                        24,
                        22,
                        1088,
                        3,
                        3,
                        64,
                        SAME.withGroups(16).withStride(2),
                        new Kernels("direct_f32_1", "f32_128x128", "direct_f32_1")),
                new Problem(
                        1,
                        47,
                        46,
                        8,
                        4,
                        5,
                        8,
                        SAME.withStride(6, 2).withDilation(4, 3),
                        new Kernels("f32_64x64", "f32_64x64", "f32_128x64")),
                // a first layer
                new Problem(
                        2,
                        180,
                        182,
                        3,
                        7,
                        7,
                        4,
                        Conv2dGeometry.UNIT.withStride(2).withPadding(3),
                        new Kernels("any_f32_128x64", "direct_f32_1", "any_f32_128x64 61")),
                // sums in pieces
                new Problem(1, 6, 6, 96, 3, 3, 200, SAME, new Kernels("f32_64x64 3", "f32_64x64 7", "f32_128x128")),
                new Problem(2, 24, 24, 16, 3, 3, 72, SAME, new Kernels("f32_64x64", "f32_64x64 2", "f32_128x128 4")),
                new Problem(
                        1, 40, 26, 5, 2, 3, 7, SAME, new Kernels("any_f32_64x64", "any_f32_64x64", "any_f32_64x64 4")),
                // groups: wide enough for tiles, depthwise, and between
                new Problem(
                        2,
                        17,
                        15,
                        48,
                        3,
                        3,
                        32,
                        SAME.withGroups(2).withStride(2, 1).withDilation(1, 2),
                        new Kernels("f32_64x64", "f32_64x64", "f32_128x64")),
                new Problem(
                        3,
                        19,
                        18,
                        72,
                        3,
                        3,
                        72,
                        SAME.withGroups(72),
                        new Kernels("direct_f32_4", "direct_f32_4", "direct_f32_4 4")),
                new Problem(
                        2,
                        18,
                        19,
                        12,
                        5,
                        4,
                        12,
                        SAME.withGroups(12).withStride(2, 3),
                        new Kernels("direct_f32_4", "direct_f32_4", "direct_f32_4")),
                new Problem(
                        1,
                        21,
                        30,
                        12,
                        3,
                        3,
                        24,
                        SAME.withGroups(4),
                        new Kernels("direct_f32_1", "direct_f32_1", "direct_f32_1 2")));
    }

    @TestFactory
    Stream<DynamicTest> agreesWithTheReference() {
        return tests(problems(), DType.F32, Precision.FULL);
    }

    @TestFactory
    Stream<DynamicTest> bf16AgreesWithTheReference() {
        return tests(narrowProblems(), DType.BF16, Precision.FULL);
    }

    @TestFactory
    Stream<DynamicTest> tf32AgreesWithTheReference() {
        return tests(narrowProblems(), DType.F32, Precision.TF32);
    }

    private static Stream<DynamicTest> tests(Stream<Problem> problems, DType dtype, Precision precision) {
        CudaDevices.require();
        return problems.flatMap(problem -> CudaDevices.available().stream()
                .map(device -> DynamicTest.dynamicTest(
                        device + " " + problem, () -> check(problem, device, dtype, precision))));
    }

    private static void check(Problem problem, String device, DType dtype, Precision precision) {
        try (CudaBackend backend = (CudaBackend) Backends.of(device, 1);
                Workspace host = new Workspace(Memory.host());
                Workspace memory = new Workspace(backend.memory())) {
            Tensor x = uniform(host, dtype, problem.image(), 1);
            Tensor filter = uniform(host, dtype, problem.filter(), 2);
            Tensor dy = uniform(host, dtype, problem.result(), 3);
            Run run = new Run(backend, host, memory, dtype, precision);
            Tensor y = host.allocate(dtype, problem.result());
            ActivationKind none = ActivationKind.NONE;
            run.check(
                    Conv2d.OP,
                    new Conv2d.Args(x, filter, null, y, null, problem.geometry, none, precision),
                    "conv2d_" + problem.kernels.forward);
            Tensor dx = host.allocate(dtype, problem.image());
            run.check(
                    Conv2dBackwardData.OP,
                    new Conv2dBackwardData.Args(dy, filter, dx, problem.geometry, precision),
                    "conv2d_backward_data_" + problem.kernels.data);
            Tensor dfilter = host.allocate(dtype, problem.filter());
            run.check(
                    Conv2dBackwardWeights.OP,
                    new Conv2dBackwardWeights.Args(x, dy, dfilter, problem.geometry, precision),
                    "conv2d_backward_weights_" + problem.kernels.weights);
        }
    }

    private static Tensor uniform(Workspace workspace, DType dtype, Shape shape, long seed) {
        return Rng.of(seed).fillUniform(workspace.allocate(dtype, shape), -1, 1);
    }

    private record Run(CudaBackend backend, Workspace host, Workspace memory, DType dtype, Precision precision) {
        /**
         * @param pattern the kernel's name, with * for what is multiplied, + for what it is stored as, # for the channels of 16
         *     bytes; after a space the pieces that sums are cut into, where these are the grid's last extent
         */
        <A extends OpArgs> void check(Op<A> op, A args, String pattern) {
            String kernel = pattern.replace("*", precision == Precision.TF32 ? "tf32" : "bf16")
                    .replace("+", dtype == DType.BF16 ? "bf16" : "f32")
                    .replace("#", dtype == DType.BF16 ? "8" : "4");
            A onDevice = ArgsMap.map(
                    args,
                    tensor -> memory.allocate(tensor.dtype(), tensor.shape()).copyFrom(tensor));
            backend.synchronize();
            backend.run(op, onDevice);
            String launches = backend.launches();
            String name = kernel.split(" ")[0];
            assertTrue(launches.contains("(" + name + ", grid "), launches + " instead of " + name);
            if (kernel.contains(" ")) {
                String pieces = kernel.split(" ")[1];
                assertTrue(launches.contains("x" + pieces + ", block"), launches + " instead of " + pieces + " pieces");
            }
            A exact = ArgsMap.map(
                    args, tensor -> host.allocate(DType.F64, tensor.shape()).copyFrom(tensor));
            op.reference(exact);
            // tensor cores truncate where others round
            double u = (dtype == DType.BF16 ? 2 : 1) * DType.F32.unitRoundoff();
            Bound bound = op.bound(exact, u);
            float[] actual = onDevice.outputs().getFirst().toFloats();
            Tensor expected = exact.outputs().getFirst();
            for (int i = 0; i < actual.length; i++) {
                double e = expected.get(i);
                assertEquals(
                        e,
                        actual[i],
                        bound.at(0, i, e) + dtype.unitRoundoff() * Math.abs(e),
                        "element " + i + " by " + launches);
            }
        }
    }

    @Test
    void quotientsAreThoseOfDivision() {
        int[] dividends = {0, 1, 2, 3, 6, 7, 63, 64, 65, 1 << 30, Integer.MAX_VALUE - 1, Integer.MAX_VALUE};
        for (int divisor = 1; divisor > 0; divisor = divisor < 1000 ? divisor + 1 : divisor * 3 + 1) {
            long constants = FastDivision.by(divisor);
            for (int n : dividends) {
                for (int dividend : new int[] {n, n / divisor * divisor, Math.max(0, n / divisor * divisor - 1)}) {
                    assertEquals(dividend / divisor, quotient(dividend, constants), dividend + " / " + divisor);
                }
            }
        }
        assertThrows(IllegalArgumentException.class, () -> FastDivision.by(0));
    }

    /** What Divider of division.cuh computes. */
    private static int quotient(int n, long constants) {
        long product = (2L * n) * (constants & 0xffffffffL);
        return (int) ((product >>> 32) >> (constants >>> 32));
    }
}
