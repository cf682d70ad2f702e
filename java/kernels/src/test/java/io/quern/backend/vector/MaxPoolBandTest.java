package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.backend.Backend;
import io.quern.op.MaxPoolBackward;
import io.quern.op.PoolGeometry;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Gradients of windows of 3 x 3 with stride 1 and 2: all ends of an image, and what is not finite wherever it stands. */
class MaxPoolBandTest {
    private static final int CHANNELS = 32;

    @BeforeEach
    void needsVectors() {
        Assumptions.assumeTrue(
                ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
                "the module jdk.incubator.vector is not loaded in this JVM");
    }

    @Test
    void equalsTheReferenceAtAllEnds() {
        try (Backend backend = VectorBackend.open(1)) {
            for (int code = 0; code < 18; code++) {
                int stride = 1 + code / 9;
                PoolGeometry geometry = new PoolGeometry(3, 3, stride, stride, code / 3 % 3, code % 3);
                for (int h = 5; h <= 9; h++) {
                    for (int w = 3; w <= 12; w++) {
                        check(backend, geometry, Shape.of(1, h, w, CHANNELS), -1, 0);
                    }
                }
            }
        }
    }

    @Test
    void findsWhatIsNotFiniteInEveryPixel() {
        try (Backend backend = VectorBackend.open(1)) {
            for (int code = 0; code < 6; code++) {
                PoolGeometry geometry = PoolGeometry.of(3, 1 + code / 3).withPadding(code % 3);
                for (int w : new int[] {8, 9}) {
                    Shape image = Shape.of(1, 8, w, CHANNELS);
                    for (long pixel = 0; pixel < 8L * w; pixel++) {
                        check(backend, geometry, image, pixel * CHANNELS + 5 * pixel % CHANNELS, Float.NaN);
                        check(
                                backend,
                                geometry,
                                image,
                                pixel * CHANNELS + 3 * pixel % CHANNELS,
                                pixel % 2 == 0 ? Float.POSITIVE_INFINITY : Float.NEGATIVE_INFINITY);
                    }
                }
            }
        }
    }

    /** Ties everywhere, and gradients whose sums are exact. */
    private static void check(Backend backend, PoolGeometry geometry, Shape image, long at, float value) {
        try (Tensor x = Rng.of(37).fillUniform(Tensor.allocate(DType.F32, image), -2, 2);
                Tensor dy = Rng.of(38)
                        .fillUniform(
                                Tensor.allocate(DType.F32, geometry.resultShape("MaxPoolBackward", x, "x")), -9, 9);
                Tensor dx = Tensor.allocate(DType.F32, image).fill(Double.NaN);
                Tensor expected = Tensor.allocate(DType.F32, image)) {
            for (long i = 0; i < x.elements(); i++) {
                x.set(i, Math.rint(x.get(i)));
            }
            for (long i = 0; i < dy.elements(); i++) {
                dy.set(i, Math.rint(dy.get(i)));
            }
            if (at >= 0) {
                x.set(at, value);
            }
            MaxPoolBackward.OP.reference(new MaxPoolBackward.Args(x, dy, expected, geometry));
            backend.run(MaxPoolBackward.OP, new MaxPoolBackward.Args(x, dy, dx, geometry));
            assertArrayEquals(
                    expected.toFloats(),
                    dx.toFloats(),
                    0,
                    () -> geometry + " of " + image + ", " + value + " at " + at);
        }
    }
}
