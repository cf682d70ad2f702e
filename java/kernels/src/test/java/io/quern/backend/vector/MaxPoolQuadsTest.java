package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.backend.Backend;
import io.quern.op.MaxPoolBackward;
import io.quern.op.PoolGeometry;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Gradients of windows of 2 x 2 in Java, on machines with their machine code as well. */
class MaxPoolQuadsTest {
    private static final PoolGeometry HALVING = PoolGeometry.of(2, 2);
    private static final int H = 5, W = 19;

    @BeforeEach
    void needsVectors() {
        Assumptions.assumeTrue(
                ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
                "the module jdk.incubator.vector is not loaded in this JVM");
    }

    /** A sum begins with 0, and 0 + -0 is 0. */
    @ParameterizedTest
    @ValueSource(ints = {3, 16, 20})
    void gradientsOfMinusZeroAreZero(int c) {
        Shape image = Shape.of(1, H, W, c);
        try (Backend backend = VectorBackend.open(1);
                Tensor x = Rng.of(41).fillUniform(Tensor.allocate(DType.F32, image), -1, 1);
                Tensor dy = Tensor.allocate(DType.F32, HALVING.resultShape("MaxPoolBackward", x, "x"))
                        .fill(-0.0);
                Tensor dx = Tensor.allocate(DType.F32, image).fill(Double.NaN)) {
            backend.run(MaxPoolBackward.OP, new MaxPoolBackward.Args(x, dy, dx, HALVING));
            assertAllZero(dx, "op, " + c + " channels");
            if (MaxPoolQuads.fits(HALVING, c)) {
                dx.fill(Double.NaN);
                MaxPoolQuads.band(x.address(), dy.address(), dx.address(), 0, H, W, c, W / 2);
                assertAllZero(dx, "kernel in Java, " + c + " channels");
            }
        }
    }

    private static void assertAllZero(Tensor dx, String what) {
        float[] all = dx.toFloats();
        for (int i = 0; i < all.length; i++) {
            assertEquals(0, Float.floatToRawIntBits(all[i]), what + ", element " + i);
        }
    }
}
