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

/** The reference against sums done by hand. */
class Conv2dTest {
    private static final Conv2dGeometry UNIT = Conv2dGeometry.UNIT;

    private static float[] conv(Tensor x, Tensor filter, Conv2dGeometry geometry) {
        try (Tensor y = Tensor.allocate(DType.F32, geometry.resultShape(x.shape(), filter.shape()))) {
            Conv2d.OP.reference(new Conv2d.Args(x, filter, y, geometry));
            return y.toFloats();
        }
    }

    /** 1 2 3 / 4 5 6 / 7 8 9. */
    private static Tensor square() {
        return Tensor.of(Shape.of(1, 3, 3, 1), 1, 2, 3, 4, 5, 6, 7, 8, 9);
    }

    @Test
    void theFilterIsNotFlipped() {
        try (Tensor x = square();
                Tensor filter = Tensor.of(Shape.of(2, 2, 1, 1), 1, 10, 100, 1000)) {
            assertArrayEquals(new float[] {5421, 6532, 8754, 9865}, conv(x, filter, UNIT));
        }
    }

    @Test
    void paddingIsZero() {
        try (Tensor x = square();
                Tensor ones = Tensor.of(Shape.of(3, 3, 1, 1), 1, 1, 1, 1, 1, 1, 1, 1, 1)) {
            assertArrayEquals(new float[] {12, 21, 16, 27, 45, 33, 24, 39, 28}, conv(x, ones, UNIT.withPadding(1)));
        }
    }

    @Test
    void strideAndDilationSkipPixels() {
        try (Tensor x = square();
                Tensor filter = Tensor.of(Shape.of(2, 2, 1, 1), 1, 10, 100, 1000)) {
            assertArrayEquals(new float[] {9731}, conv(x, filter, UNIT.withDilation(2)));
            assertArrayEquals(
                    new float[] {1000, 3200, 7040, 9865},
                    conv(x, filter, UNIT.withStride(2).withPadding(1)),
                    "top left, top right, bottom left, bottom right of the padded image");
            assertArrayEquals(new float[] {5421, 8754}, conv(x, filter, UNIT.withStride(1, 2)));
        }
    }

    @Test
    void channelsAreSummedAndFilterColumnsAreResults() {
        try (Tensor x = Tensor.of(Shape.of(1, 1, 2, 2), 1, 2, 3, 4);
                Tensor filter = Tensor.of(Shape.of(1, 1, 2, 3), 1, 0, 10, 0, 1, 100)) {
            assertArrayEquals(new float[] {1, 2, 210, 3, 4, 430}, conv(x, filter, UNIT));
        }
    }

    @Test
    void aGroupSeesItsOwnChannels() {
        try (Tensor x = Tensor.of(Shape.of(1, 1, 1, 4), 1, 2, 3, 4);
                Tensor filter = Tensor.of(Shape.of(1, 1, 2, 2), 1, 10, 100, 1000);
                Tensor depthwise = Tensor.of(Shape.of(1, 1, 1, 8), 1, 2, 3, 4, 5, 6, 7, 8)) {
            assertArrayEquals(new float[] {1 + 200, 30 + 4000}, conv(x, filter, UNIT.withGroups(2)));
            assertArrayEquals(
                    new float[] {1, 2, 6, 8, 15, 18, 28, 32},
                    conv(x, depthwise, UNIT.withGroups(4)),
                    "two results per channel");
        }
    }

    @Test
    void biasAndActivationFollowTheSum() {
        try (Tensor x = Tensor.of(Shape.of(1, 1, 2, 1), 1, -1);
                Tensor filter = Tensor.of(Shape.of(1, 1, 1, 2), 2, -2);
                Tensor bias = Tensor.of(Shape.of(2), 0.5f, 0);
                Tensor y = Tensor.allocate(DType.F32, Shape.of(1, 1, 2, 2));
                Tensor z = Tensor.allocate(DType.F32, Shape.of(1, 1, 2, 2))) {
            Conv2d.OP.reference(new Conv2d.Args(x, filter, bias, y, z, UNIT, ActivationKind.RELU));
            assertArrayEquals(new float[] {2.5f, -2, -1.5f, 2}, z.toFloats());
            assertArrayEquals(new float[] {2.5f, 0, 0, 2}, y.toFloats());
        }
    }

    /** Operands are BF16 values in both, so gradients differ by what BF16 rounds: the signal, y and the gradient itself. */
    @Tag("cuda")
    @Test
    void gradientsOfBf16AreThoseOfF32Rounded() {
        List<String> names = new ArrayList<>(List.of("reference"));
        names.addAll(CudaDevices.available());
        for (String name : names) {
            for (ActivationKind kind : List.of(ActivationKind.NONE, ActivationKind.SIGMOID, ActivationKind.GELU)) {
                try (Backend backend = Backends.of(name, 1)) {
                    List<float[]> narrow = gradients(backend, DType.BF16, kind);
                    List<float[]> wide = gradients(backend, DType.F32, kind);
                    for (int i = 0; i < narrow.size(); i++) {
                        for (int j = 0; j < wide.get(i).length; j++) {
                            float expected = wide.get(i)[j];
                            float allowed = 0.02f * (1 + Math.abs(expected));
                            String what = name + ", " + kind + ", tensor " + i + ", element " + j;
                            assertEquals(expected, narrow.get(i)[j], allowed, what);
                        }
                    }
                }
            }
        }
    }

    /** y and the gradients of x, filter and bias for the sum of y. */
    private static List<float[]> gradients(Backend backend, DType dtype, ActivationKind kind) {
        try (Workspace workspace = new Workspace(backend.memory())) {
            Tape tape = new Tape(backend, workspace);
            Tensor x = tape.watch(rounded(workspace, dtype, 1, Shape.of(2, 5, 6, 8)));
            Tensor filter = tape.watch(rounded(workspace, dtype, 2, Shape.of(3, 2, 8, 9)));
            Tensor bias = tape.watch(rounded(workspace, dtype, 3, Shape.of(9)));
            Tensor y = Conv2d.apply(tape, x, filter, bias, UNIT.withPadding(1).withStride(2, 1), kind);
            Tensor wide = dtype == DType.F32 ? y : Cast.apply(tape, y, DType.F32);
            Gradients gradients = tape.backward(Reduce.apply(tape, wide, ReduceKind.SUM, 0, 3));
            return List.of(
                    wide.toFloats(),
                    gradients.of(x).toFloats(),
                    gradients.of(filter).toFloats(),
                    gradients.of(bias).toFloats());
        }
    }

    private static Tensor rounded(Workspace workspace, DType dtype, int seed, Shape shape) {
        try (Tensor values = Tensor.allocate(DType.F32, shape);
                Tensor halves = Tensor.allocate(DType.BF16, shape)) {
            halves.copyFrom(Rng.of(seed).fillUniform(values, -1, 1));
            values.copyFrom(halves);
            return workspace.allocate(dtype, shape).copyFrom(dtype == DType.BF16 ? halves : values);
        }
    }
}
