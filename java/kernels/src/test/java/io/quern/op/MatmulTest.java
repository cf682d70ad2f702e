package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import io.quern.testing.CudaDevices;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
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
    void packingKeepsTheProductUntilItIsCleared() {
        for (String name : List.of("reference", "scalar", "vector")) {
            for (int m : new int[] {1, 4, 13, 200}) {
                try (Backend backend = Backends.of(name, 2);
                        Tensor a = random(1, Shape.of(m, 600));
                        Tensor b = random(2, Shape.of(600, 75));
                        Tensor other = random(3, Shape.of(600, 75));
                        Tensor c = Tensor.allocate(DType.F32, Shape.of(m, 75));
                        Packing packing = new Packing()) {
                    String what = name + " with " + m + " rows";
                    Matmul.Args args = new Matmul.Args(a, b, c, false, false).packed(packing);
                    for (int call = 0; call < 2; call++) {
                        backend.run(Matmul.OP, args);
                        assertArrayEquals(product(a, b), c.toFloats(), 1e-4f, what + ", call " + call);
                    }
                    assertEquals(!name.equals("vector"), packing.isEmpty(), what);
                    backend.run(Matmul.OP, new Matmul.Args(a, other, c, false, false).packed(packing));
                    assertArrayEquals(product(a, other), c.toFloats(), 1e-4f, what + ", another b");
                    backend.run(Matmul.OP, args);
                    b.copyFrom(other.toFloats());
                    packing.clear();
                    backend.run(Matmul.OP, args);
                    assertArrayEquals(product(a, b), c.toFloats(), 1e-4f, what + ", b changed");
                }
            }
        }
    }

    private static Tensor random(int stream, Shape shape) {
        return Rng.of(5).stream(stream).fillUniform(Tensor.allocate(DType.F32, shape), -1, 1);
    }

    private static float[] product(Tensor a, Tensor b) {
        try (Tensor c = Tensor.allocate(DType.F32, Shape.of(a.size(0), b.size(1)))) {
            Matmul.OP.reference(new Matmul.Args(a, b, c, false, false));
            return c.toFloats();
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

    /** Columns that fill vectors, pairs of them and groups of draws, and columns that do not. */
    @Test
    void epilogueHasTheBitsOfItsOpsOnTheProduct() {
        DropoutMask mask = new DropoutMask(0.4, new Rng(-9, -8, -7));
        for (ActivationKind kind : List.of(ActivationKind.RELU, ActivationKind.GELU, ActivationKind.TANH)) {
            for (int n : new int[] {5, 32, 64, 72, 128, 320}) {
                Shape shape = Shape.of(43, n);
                try (Backend backend = Backends.of("vector", 2);
                        Tensor a = Rng.of(1).fillUniform(Tensor.allocate(DType.F32, Shape.of(43, 19)), -1, 1);
                        Tensor b = Rng.of(2).fillUniform(Tensor.allocate(DType.F32, Shape.of(19, n)), -1, 1);
                        Tensor bias = Rng.of(3).fillUniform(Tensor.allocate(DType.F32, Shape.of(n)), -1, 1);
                        Tensor fused = Tensor.allocate(DType.F32, shape);
                        Tensor apart = Tensor.allocate(DType.F32, shape)) {
                    for (DropoutMask dropout : new DropoutMask[] {null, mask}) {
                        backend.run(
                                Matmul.OP, new Matmul.Args(a, b, bias, fused, null, false, false, 1, 0, kind, dropout));
                        backend.run(Matmul.OP, new Matmul.Args(a, b, apart, false, false));
                        backend.run(BiasAdd.OP, new BiasAdd.Args(apart, bias, apart));
                        backend.run(Activation.OP, new Activation.Args(apart, apart, kind));
                        if (dropout != null) {
                            backend.run(Dropout.OP, new Dropout.Args(apart, apart, mask.p(), mask.rng()));
                        }
                        assertArrayEquals(
                                apart.toFloats(), fused.toFloats(), kind + ", n = " + n + ", dropout " + dropout);
                    }
                }
            }
        }
    }

    /** In tiles with edges, and where partial sums are added first. */
    @Tag("cuda")
    @Test
    void dropoutOnADeviceHasTheBitsOfTheDropoutOpOnTheProduct() {
        CudaDevices.require();
        DropoutMask mask = new DropoutMask(0.4, new Rng(9, 8, 7));
        int[][] sizes = {{41, 1, 19}, {41, 5, 19}, {41, 64, 19}, {70, 67, 33}, {9, 40, 700}, {9, 41, 700}};
        for (String name : CudaDevices.available()) {
            for (int[] size : sizes) {
                Shape shape = Shape.of(size[0], size[1]);
                try (Backend backend = Backends.of(name, 1);
                        Tensor a = onDevice(backend, 1, size[0], size[2]);
                        Tensor b = onDevice(backend, 2, size[2], size[1]);
                        Tensor fused = Tensor.allocate(backend.memory(), DType.F32, shape);
                        Tensor apart = Tensor.allocate(backend.memory(), DType.F32, shape)) {
                    backend.run(Matmul.OP, args(a, b, fused, mask));
                    backend.run(Matmul.OP, args(a, b, apart, null));
                    backend.run(Dropout.OP, new Dropout.Args(apart, apart, mask.p(), mask.rng()));
                    assertArrayEquals(apart.toFloats(), fused.toFloats(), name + ", " + shape);
                }
            }
        }
    }

    private static Tensor onDevice(Backend backend, int seed, long rows, long columns) {
        try (Tensor x = Tensor.allocate(DType.F32, Shape.of(rows, columns))) {
            return Rng.of(seed).fillUniform(x, -1, 1).copyTo(backend.memory());
        }
    }

    /** Operands are BF16 values in both, so gradients differ by what BF16 rounds: the signal, c and the gradient itself. */
    @Tag("cuda")
    @Test
    void gradientsOfBf16AreThoseOfF32Rounded() {
        List<String> names = new ArrayList<>(List.of("reference"));
        names.addAll(CudaDevices.available());
        for (String name : names) {
            for (ActivationKind kind : List.of(ActivationKind.NONE, ActivationKind.SIGMOID, ActivationKind.GELU)) {
                for (DropoutMask mask : new DropoutMask[] {null, new DropoutMask(0.25, new Rng(9, 8, 7))}) {
                    try (Backend backend = Backends.of(name, 1)) {
                        List<float[]> narrow = gradients(backend, DType.BF16, kind, mask);
                        List<float[]> wide = gradients(backend, DType.F32, kind, mask);
                        for (int i = 0; i < narrow.size(); i++) {
                            assertArrayEquals(wide.get(i), narrow.get(i), 0.05f, name + ", " + kind + ", tensor " + i);
                        }
                    }
                }
            }
        }
    }

    /** c and the gradients of x, w and bias for the sum of c. */
    private static List<float[]> gradients(Backend backend, DType dtype, ActivationKind kind, DropoutMask mask) {
        try (Workspace workspace = new Workspace(backend.memory())) {
            Tape tape = new Tape(backend, workspace);
            Tensor x = tape.watch(rounded(workspace, backend, dtype, 1, Shape.of(7, 12)));
            Tensor w = tape.watch(rounded(workspace, backend, dtype, 2, Shape.of(12, 9)));
            Tensor bias = tape.watch(rounded(workspace, backend, dtype, 3, Shape.of(9)));
            Tensor y = Cast.apply(tape, Matmul.apply(tape, x, w, bias, kind, mask), DType.F32);
            Gradients gradients = tape.backward(Reduce.apply(tape, y, ReduceKind.SUM, 0, 1));
            return List.of(
                    y.toFloats(),
                    gradients.of(x).toFloats(),
                    gradients.of(w).toFloats(),
                    gradients.of(bias).toFloats());
        }
    }

    private static Tensor rounded(Workspace workspace, Backend backend, DType dtype, int seed, Shape shape) {
        try (Tensor values = Tensor.allocate(DType.F32, shape);
                Tensor halves = Tensor.allocate(DType.BF16, shape)) {
            halves.copyFrom(Rng.of(seed).fillUniform(values, -1, 1));
            values.copyFrom(halves);
            return workspace.allocate(dtype, shape).copyFrom(dtype == DType.BF16 ? halves : values);
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
