package io.quern.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backends;
import io.quern.op.Transpose;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.testing.CudaDevices;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/** Every kernel of transpose.cu where it is the one that is chosen; the harness has contiguous tensors alone. */
@Tag("cuda")
class TransposeCudaTest {
    /**
     * @param shift elements in front of both tensors, whose memory begins at 16 bytes
     * @param view of the memory of the given extents, what is transposed
     */
    private record Problem(
            String what,
            DType dtype,
            long[] extents,
            List<Integer> axes,
            int shift,
            UnaryOperator<Tensor> view,
            String kernel) {

        Problem(DType dtype, long[] extents, List<Integer> axes, int shift, String kernel) {
            this("all of it", dtype, extents, axes, shift, x -> x, kernel);
        }

        @Override
        public String toString() {
            return what + ", " + dtype + Arrays.toString(extents) + " axes " + axes + " from element " + shift + " by "
                    + kernel;
        }
    }

    private static long[] extents(long... extents) {
        return extents;
    }

    private static Stream<Problem> problems() {
        List<Integer> swap = List.of(1, 0);
        List<Integer> swapBehind = List.of(0, 2, 1);
        List<Integer> swapInFront = List.of(1, 0, 2);
        return Stream.of(
                // whole packs on both sides, on one, on none
                new Problem(DType.F32, extents(132, 256), swap, 0, "transpose_32"),
                new Problem(DType.F32, extents(132, 256), swap, 1, "transpose_32"),
                new Problem(DType.F32, extents(132, 131), swap, 0, "transpose_32"),
                new Problem(DType.F32, extents(131, 132), swap, 0, "transpose_32"),
                new Problem(DType.BF16, extents(136, 264), swap, 0, "transpose_16"),
                new Problem(DType.BF16, extents(130, 264), swap, 0, "transpose_16"),
                new Problem(DType.BF16, extents(129, 131), swap, 3, "transpose_16"),
                new Problem(DType.F64, extents(40, 70), swap, 0, "transpose_64"),
                new Problem(DType.F64, extents(41, 70), swap, 1, "transpose_64"),
                new Problem(DType.I32, extents(64, 64), swap, 0, "transpose_32"),
                // one plane per image, as between channel orders, also few channels
                new Problem(DType.BF16, extents(3, 72, 5, 16), List.of(0, 2, 3, 1), 0, "transpose_16"),
                new Problem(DType.F32, extents(2, 3, 1500), swapBehind, 0, "transpose_32"),
                new Problem(DType.F32, extents(2, 1500, 3), swapBehind, 0, "transpose_32"),
                new Problem(DType.BF16, extents(2, 5, 1500), swapBehind, 1, "transpose_16"),
                // three axes outside the planes
                new Problem(DType.F32, extents(3, 2, 40, 4, 64), List.of(3, 1, 4, 0, 2), 0, "transpose_32"),
                // neighbours that stay together
                new Problem(DType.F32, extents(7, 19, 32), swapInFront, 0, "permute_128"),
                new Problem(DType.F32, extents(7, 19, 32), swapInFront, 2, "permute_64"),
                new Problem(DType.BF16, extents(7, 19, 32), swapInFront, 1, "permute_16"),
                new Problem(DType.BF16, extents(70, 40, 2), swapInFront, 0, "transpose_32"),
                new Problem(DType.F32, extents(33, 70, 2), swapInFront, 0, "transpose_64"),
                new Problem(DType.F32, extents(5, 12), List.of(0, 1), 0, "permute_128"),
                new Problem(DType.F32, extents(1, 1), swap, 0, "permute_32"),
                // too small for tiles
                new Problem(DType.F32, extents(40, 16, 16), swapBehind, 0, "permute_32"),
                // strides
                new Problem(
                        "a window at 16 bytes",
                        DType.F32,
                        extents(90, 100),
                        swap,
                        0,
                        x -> x.slice(0, 1, 81).slice(1, 4, 84),
                        "transpose_32"),
                new Problem(
                        "a window",
                        DType.F32,
                        extents(90, 101),
                        swap,
                        0,
                        x -> x.slice(0, 1, 81).slice(1, 3, 84),
                        "transpose_32"),
                new Problem(
                        "every second column",
                        DType.F32,
                        extents(20, 30, 2),
                        swapInFront,
                        0,
                        x -> x.slice(2, 1, 2),
                        "permute_32"));
    }

    @TestFactory
    Stream<DynamicTest> movesEveryElement() {
        CudaDevices.require();
        return problems()
                .flatMap(problem -> CudaDevices.available().stream()
                        .map(device -> DynamicTest.dynamicTest(device + " " + problem, () -> check(problem, device))));
    }

    private static void check(Problem problem, String device) {
        Shape shape = Shape.of(problem.extents);
        Shape all = Shape.of(problem.shift + shape.elements());
        try (CudaBackend backend = (CudaBackend) Backends.of(device, 1);
                Tensor host = Rng.of(1).fillUniform(Tensor.allocate(problem.dtype, all), -9, 9);
                Tensor there = host.copyTo(backend.memory())) {
            Tensor x =
                    problem.view.apply(host.slice(0, problem.shift, all.size(0)).reshape(shape));
            Tensor source = problem.view.apply(
                    there.slice(0, problem.shift, all.size(0)).reshape(shape));
            Shape result = Shape.of(problem.axes.stream().mapToLong(x::size).toArray());
            Shape room = Shape.of(problem.shift + result.elements());
            try (Tensor expected = Tensor.allocate(problem.dtype, result);
                    Tensor target = Tensor.allocate(backend.memory(), problem.dtype, room)) {
                Transpose.OP.reference(new Transpose.Args(x, expected, problem.axes));
                Tensor y = target.slice(0, problem.shift, room.size(0)).reshape(result);
                backend.synchronize();
                backend.run(Transpose.OP, new Transpose.Args(source, y, problem.axes));
                String launches = backend.launches();
                assertTrue(launches.contains("(" + problem.kernel + ", grid "), launches);
                assertArrayEquals(expected.toFloats(), y.toFloats());
            }
        }
    }
}
