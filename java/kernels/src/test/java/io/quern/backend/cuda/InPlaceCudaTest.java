package io.quern.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.op.BatchNormBackward;
import io.quern.op.Dropout;
import io.quern.op.LayerNormBackward;
import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.op.Softmax;
import io.quern.op.SoftmaxBackward;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import io.quern.testing.OnEveryCudaDevice;
import java.util.function.BiFunction;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A result in the place of an operand has the bits of one apart: kernels read ahead, and must not read what they have written. */
class InPlaceCudaTest extends OnEveryCudaDevice {
    @ParameterizedTest
    @CsvSource({
        "F32, 9, 1000",
        "BF16, 9, 1000",
        "F32, 9, 1304",
        "F32, 37, 100",
        "BF16, 37, 100",
        "F32, 3, 683",
        "BF16, 3, 683",
        "F32, 70, 33"
    })
    void sameBits(DType dtype, int rows, int columns) {
        Shape shape = Shape.of(rows, columns);
        Rng mask = new Rng(5, 6, 7);
        check(Dropout.OP, dtype, shape, (w, x) -> y -> new Dropout.Args(x, y, 0.4, mask));
        check(Softmax.OP, dtype, shape, (w, x) -> y -> new Softmax.Args(x, y));
        check(SoftmaxBackward.OP, dtype, shape, (w, dy) -> {
            Tensor y = w.uniform(dtype, shape);
            return dx -> new SoftmaxBackward.Args(y, dy, dx);
        });
        check(LayerNormBackward.OP, dtype, shape, (w, dy) -> {
            Tensor x = w.uniform(dtype, shape);
            Tensor gamma = w.uniform(DType.F32, Shape.of(columns));
            Tensor mean = w.uniform(DType.F32, Shape.of(rows));
            Tensor inverse = w.uniform(DType.F32, Shape.of(rows));
            Tensor dgamma = w.uniform(DType.F32, Shape.of(columns));
            Tensor dbeta = w.uniform(DType.F32, Shape.of(columns));
            return dx -> new LayerNormBackward.Args(x, dy, gamma, mean, inverse, dx, dgamma, dbeta);
        });
        check(BatchNormBackward.OP, dtype, shape, (w, dy) -> {
            Tensor x = w.uniform(dtype, shape);
            Tensor gamma = w.uniform(DType.F32, Shape.of(columns));
            Tensor mean = w.uniform(DType.F32, Shape.of(columns));
            Tensor inverse = w.uniform(DType.F32, Shape.of(columns));
            Tensor dgamma = w.uniform(DType.F32, Shape.of(columns));
            Tensor dbeta = w.uniform(DType.F32, Shape.of(columns));
            return dx -> new BatchNormBackward.Args(x, dy, gamma, mean, inverse, dx, dgamma, dbeta);
        });
    }

    /** Tensors on the device, the same ones in each run. */
    private record Room(CudaBackend backend, Workspace workspace, Rng[] next) {
        Tensor uniform(DType dtype, Shape shape) {
            next[0] = next[0].stream(next[0].stream() + 1);
            try (Tensor values = next[0].fillUniform(Tensor.allocate(dtype, shape), -1, 1)) {
                Tensor there = workspace.allocate(dtype, shape);
                there.copyFrom(values);
                return there;
            }
        }
    }

    private interface Call<A extends OpArgs> {
        A into(Tensor result);
    }

    private <A extends OpArgs> void check(
            Op<A> op, DType dtype, Shape shape, BiFunction<Room, Tensor, Call<A>> operands) {
        try (CudaBackend backend = device.open();
                Workspace workspace = new Workspace(backend.memory())) {
            Room room = new Room(backend, workspace, new Rng[] {Rng.of(3)});
            Tensor operand = room.uniform(dtype, shape);
            Call<A> call = operands.apply(room, operand);
            Tensor apart = workspace.allocate(dtype, shape);
            backend.run(op, call.into(apart));
            backend.run(op, call.into(operand));
            assertArrayEquals(apart.toFloats(), operand.toFloats(), op.name() + " " + dtype + " " + shape);
        }
    }
}
