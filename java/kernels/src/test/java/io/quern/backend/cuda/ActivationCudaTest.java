package io.quern.backend.cuda;

import static org.junit.jupiter.api.Assertions.fail;

import io.quern.op.Activation;
import io.quern.op.ActivationBackward;
import io.quern.op.ActivationKind;
import io.quern.tensor.BFloat16;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.testing.OnEveryCudaDevice;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The functions of every BF16 number, which a device computes with approximations of its own. */
class ActivationCudaTest extends OnEveryCudaDevice {
    private static final int NUMBERS = 1 << 16;

    /** What is smaller may be zero. */
    private static final double SMALLEST = 0x1p-118;

    /** At most one step away from the result in double, rounded. */
    @ParameterizedTest
    @EnumSource
    void isOneStepFromTheFormulaAtMost(ActivationKind kind) {
        try (CudaBackend backend = device.open();
                Tensor x = everyNumber();
                Tensor there = x.copyTo(backend.memory());
                Tensor y = Tensor.allocate(backend.memory(), DType.BF16, x.shape())) {
            backend.run(Activation.OP, new Activation.Args(there, y, kind));
            float[] values = x.toFloats();
            float[] actual = y.toFloats();
            for (int i = 0; i < NUMBERS; i++) {
                double formula = kind.value(values[i]);
                int steps = steps(BFloat16.fromDouble(formula), BFloat16.fromFloat(actual[i]));
                boolean vanishes = Math.abs(formula) < SMALLEST && Math.abs(actual[i]) < SMALLEST;
                if (Double.isNaN(formula) ? !Float.isNaN(actual[i]) : steps > 1 && !vanishes) {
                    fail(kind.label() + " of " + values[i] + " is " + actual[i] + ", expected " + formula);
                }
            }
        }
    }

    /** The slope at every number, from y or x: as far away as the op allows, and a NaN only of a NaN. */
    @ParameterizedTest
    @EnumSource
    void theSlopeIsAsCloseAsTheOpAllows(ActivationKind kind) {
        try (CudaBackend backend = device.open();
                Tensor saved = everyNumber();
                Tensor there = saved.copyTo(backend.memory());
                Tensor ones = Tensor.allocate(DType.BF16, saved.shape()).fill(1);
                Tensor dy = ones.copyTo(backend.memory());
                Tensor dx = Tensor.allocate(backend.memory(), DType.BF16, saved.shape())) {
            backend.run(ActivationBackward.OP, new ActivationBackward.Args(there, dy, dx, kind));
            float[] values = saved.toFloats();
            float[] actual = dx.toFloats();
            for (int i = 0; i < NUMBERS; i++) {
                if (kind.fromOutput() && !(Math.abs(values[i]) <= 1)) {
                    continue; // no result of the function
                }
                double slope = kind.derivative(values[i], values[i]);
                double error = Math.abs(actual[i] - slope);
                if (Double.isNaN(slope) ? !Float.isNaN(actual[i]) : !(error <= 0x1p-16 + 0x1p-7 * Math.abs(slope))) {
                    fail("slope of " + kind.label() + " at " + values[i] + " is " + actual[i] + ", expected " + slope);
                }
            }
        }
    }

    private static Tensor everyNumber() {
        Tensor x = Tensor.allocate(DType.BF16, Shape.of(NUMBERS));
        for (int i = 0; i < NUMBERS; i++) {
            x.set(i, BFloat16.toFloat((short) i));
        }
        return x;
    }

    /** Numbers of BF16 from one to the other, both zeros being one. */
    private static int steps(short a, short b) {
        return Math.abs(place(a) - place(b));
    }

    private static int place(short bits) {
        return bits < 0 ? -(bits & 0x7fff) : bits;
    }
}
