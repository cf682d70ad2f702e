package io.quern.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backends;
import io.quern.op.ArgsMap;
import io.quern.op.Bound;
import io.quern.op.Conv2d;
import io.quern.op.Conv2dBackwardData;
import io.quern.op.Conv2dBackwardWeights;
import io.quern.op.Conv2dGeometry;
import io.quern.op.Op;
import io.quern.op.OpArgs;
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
                        new Kernels("direct_f32_1", "f32_128x128", "direct_f32")),
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
                        new Kernels("direct_f32_4", "direct_f32_4", "direct_f32 4")),
                new Problem(
                        2,
                        18,
                        19,
                        12,
                        5,
                        4,
                        12,
                        SAME.withGroups(12).withStride(2, 3),
                        new Kernels("direct_f32_4", "direct_f32_4", "direct_f32")),
                new Problem(
                        1,
                        21,
                        30,
                        12,
                        3,
                        3,
                        24,
                        SAME.withGroups(4),
                        new Kernels("direct_f32_1", "direct_f32_1", "direct_f32 2")));
    }

    @TestFactory
    Stream<DynamicTest> agreesWithTheReference() {
        CudaDevices.require();
        return CudaDevices.available().stream()
                .flatMap(device -> problems()
                        .map(problem -> DynamicTest.dynamicTest(device + " " + problem, () -> {
                            try (CudaBackend backend = (CudaBackend) Backends.of(device, 1);
                                    Workspace host = new Workspace(Memory.host());
                                    Workspace memory = new Workspace(backend.memory())) {
                                Tensor x = uniform(host, problem.image(), 1);
                                Tensor filter = uniform(host, problem.filter(), 2);
                                Tensor dy = uniform(host, problem.result(), 3);
                                Run run = new Run(backend, host, memory);
                                Tensor y = host.allocate(DType.F32, problem.result());
                                run.check(
                                        Conv2d.OP,
                                        new Conv2d.Args(x, filter, y, problem.geometry),
                                        "conv2d_" + problem.kernels.forward);
                                Tensor dx = host.allocate(DType.F32, problem.image());
                                run.check(
                                        Conv2dBackwardData.OP,
                                        new Conv2dBackwardData.Args(dy, filter, dx, problem.geometry),
                                        "conv2d_backward_data_" + problem.kernels.data);
                                Tensor dfilter = host.allocate(DType.F32, problem.filter());
                                run.check(
                                        Conv2dBackwardWeights.OP,
                                        new Conv2dBackwardWeights.Args(x, dy, dfilter, problem.geometry),
                                        "conv2d_backward_weights_" + problem.kernels.weights);
                            }
                        })));
    }

    private static Tensor uniform(Workspace workspace, Shape shape, long seed) {
        return Rng.of(seed).fillUniform(workspace.allocate(DType.F32, shape), -1, 1);
    }

    private record Run(CudaBackend backend, Workspace host, Workspace memory) {
        /** @param kernel its name, and after a space the pieces that sums are cut into, where these are the grid's last extent */
        <A extends OpArgs> void check(Op<A> op, A args, String kernel) {
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
            double u = DType.F32.unitRoundoff();
            Bound bound = op.bound(exact, u);
            float[] actual = onDevice.outputs().getFirst().toFloats();
            Tensor expected = exact.outputs().getFirst();
            for (int i = 0; i < actual.length; i++) {
                double e = expected.get(i);
                assertEquals(e, actual[i], bound.at(0, i, e) + u * Math.abs(e), "element " + i + " by " + launches);
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
