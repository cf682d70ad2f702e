package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.backend.reference.ReferenceBackend;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import java.util.List;
import org.junit.jupiter.api.Test;

class TransposeTest {
    @Test
    void swapsRowsAndColumns() {
        assertTransposed(Shape.of(2, 3), List.of(1, 0), new float[] {0, 3, 1, 4, 2, 5});
    }

    /** Element (i, j, k) of 2 x 2 x 2 is 4 i + 2 j + k; y(j, k, i) is listed. */
    @Test
    void permutesAxes() {
        assertTransposed(Shape.of(2, 2, 2), List.of(1, 2, 0), new float[] {0, 4, 1, 5, 2, 6, 3, 7});
    }

    @Test
    void readsThroughStrides() {
        try (Tensor memory = counting(Shape.of(3, 4));
                Tensor y = Tensor.allocate(DType.F32, Shape.of(2, 2))) {
            Tensor window = memory.slice(0, 1, 3).slice(1, 1, 3);
            Transpose.OP.reference(new Transpose.Args(window, y, List.of(1, 0)));
            assertArrayEquals(new float[] {5, 9, 6, 10}, y.toFloats());
        }
    }

    @Test
    void convertsBetweenChannelOrdersAndBack() {
        try (Workspace workspace = new Workspace(Memory.host());
                ReferenceBackend backend = new ReferenceBackend(1);
                Tensor nchw = counting(Shape.of(1, 2, 1, 3))) {
            Tape tape = new Tape(backend, workspace);
            Tensor nhwc = Transpose.nchwToNhwc(tape, nchw);
            assertEquals(Shape.of(1, 1, 3, 2), nhwc.shape());
            assertArrayEquals(new float[] {0, 3, 1, 4, 2, 5}, nhwc.toFloats());
            assertArrayEquals(nchw.toFloats(), Transpose.nhwcToNchw(tape, nhwc).toFloats());
        }
    }

    private static Tensor counting(Shape shape) {
        int[] next = {0};
        return Tensor.allocate(DType.F32, shape).fill(() -> next[0]++);
    }

    private static void assertTransposed(Shape shape, List<Integer> axes, float[] expected) {
        try (Tensor x = counting(shape);
                Tensor y = Tensor.allocate(
                        DType.F32, Shape.of(axes.stream().mapToLong(shape::size).toArray()))) {
            Transpose.OP.reference(new Transpose.Args(x, y, axes));
            assertArrayEquals(expected, y.toFloats());
        }
    }
}
