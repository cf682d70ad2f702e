package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Test;

class MatmulTest {
    private static final Shape TWO = Shape.of(2, 2);

    @Test
    void multipliesRowsByColumns() {
        try (Tensor a = Tensor.of(TWO, 1, 2, 3, 4);
                Tensor b = Tensor.of(TWO, 5, 6, 7, 8);
                Tensor c = Tensor.allocate(DType.F32, TWO)) {
            Matmul.OP.reference(new Matmul.Args(a, b, c, false, false));
            assertArrayEquals(new float[] {19, 22, 43, 50}, c.toFloats());
            Matmul.OP.reference(new Matmul.Args(a, b, c, true, false));
            assertArrayEquals(new float[] {26, 30, 38, 44}, c.toFloats());
            Matmul.OP.reference(new Matmul.Args(a, b, c, false, true));
            assertArrayEquals(new float[] {17, 23, 39, 53}, c.toFloats());
        }
    }

    @Test
    void epilogueAddsBiasThenActivates() {
        try (Tensor a = Tensor.of(Shape.of(1, 2), 1, -1);
                Tensor b = Tensor.of(TWO, 2, 0, 1, 3);
                Tensor bias = Tensor.of(Shape.of(2), 0.5f, 1);
                Tensor c = Tensor.of(Shape.of(1, 2), 10, 20);
                Tensor pre = Tensor.allocate(DType.F32, Shape.of(1, 2))) {
            // a b = (1, -3); 2 a b + c / 2 + bias = (7.5, 5)
            Matmul.OP.reference(new Matmul.Args(a, b, bias, c, pre, false, false, 2, 0.5, ActivationKind.RELU));
            assertArrayEquals(new float[] {7.5f, 5}, pre.toFloats());
            assertArrayEquals(new float[] {7.5f, 5}, c.toFloats());
            // without c: (2.5, -5)
            Matmul.OP.reference(new Matmul.Args(a, b, bias, c, pre, false, false, 2, 0, ActivationKind.RELU));
            assertArrayEquals(new float[] {2.5f, -5}, pre.toFloats());
            assertArrayEquals(new float[] {2.5f, 0}, c.toFloats());
        }
    }

    @Test
    void costsTwoFlopsPerMultiplyAdd() {
        try (Tensor a = Tensor.allocate(DType.F32, Shape.of(3, 5));
                Tensor b = Tensor.allocate(DType.F32, Shape.of(5, 7));
                Tensor c = Tensor.allocate(DType.F32, Shape.of(3, 7))) {
            assertEquals(new Cost(210, 4 * (15 + 35 + 21)), Matmul.OP.cost(new Matmul.Args(a, b, c, false, false)));
        }
    }
}
