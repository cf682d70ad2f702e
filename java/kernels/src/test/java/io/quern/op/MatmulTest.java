package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.List;
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

    /** At widths of rows that start within a block of draws. The reference rounds once, the two ops twice. */
    @Test
    void dropoutHasTheBitsOfTheDropoutOpOnTheProduct() {
        DropoutMask mask = new DropoutMask(0.4, new Rng(9, 8, 7));
        for (String name : List.of("scalar", "vector")) {
            for (int n : new int[] {1, 5, 8, 67, 300}) {
                Shape shape = Shape.of(41, n);
                try (Backend backend = Backends.of(name, 2);
                        Tensor a = Rng.of(1).fillUniform(Tensor.allocate(DType.F32, Shape.of(41, 19)), -1, 1);
                        Tensor b = Rng.of(2).fillUniform(Tensor.allocate(DType.F32, Shape.of(19, n)), -1, 1);
                        Tensor fused = Tensor.allocate(DType.F32, shape);
                        Tensor apart = Tensor.allocate(DType.F32, shape)) {
                    backend.run(Matmul.OP, args(a, b, fused, mask));
                    backend.run(Matmul.OP, args(a, b, apart, null));
                    backend.run(Dropout.OP, new Dropout.Args(apart, apart, mask.p(), mask.rng()));
                    assertArrayEquals(apart.toFloats(), fused.toFloats(), name + ", n = " + n);
                }
            }
        }
    }

    private static Matmul.Args args(Tensor a, Tensor b, Tensor c, DropoutMask mask) {
        return new Matmul.Args(a, b, null, c, null, false, false, 1, 0, ActivationKind.RELU, mask);
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
