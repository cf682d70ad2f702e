package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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

    @Test
    void addsInTheOrderOfACallPerWindow() {
        for (Shape image :
                new Shape[] {Shape.of(2, 9, 12, 16), Shape.of(3, 8, 7, 48), Shape.of(1, 2, 2, 16), Shape.of(2, 1, 1, 16)
                }) {
            for (int code = 0; code < 18; code++) {
                int stride = 1 + code / 9;
                assertSameBits(new PoolGeometry(3, 3, stride, stride, code / 3 % 3, code % 3), image);
            }
        }
        // bands of 16 and of 4 rows
        for (Shape image : new Shape[] {Shape.of(1, 20, 5, 3280), Shape.of(1, 10, 4, 16384)}) {
            for (int code = 0; code < 6; code++) {
                assertSameBits(PoolGeometry.of(3, 1 + code / 3).withPadding(code % 3), image);
            }
        }
    }

    /** As with one channel more, which has a call per window; gradients of all kinds. */
    private static void assertSameBits(PoolGeometry geometry, Shape image) {
        int c = (int) image.size(3);
        if (image.size(1) + 2 * geometry.paddingH() < 3 || image.size(2) + 2 * geometry.paddingW() < 3) {
            return; // smaller than a window
        }
        Shape wider = Shape.of(image.size(0), image.size(1), image.size(2), c + 1);
        try (Backend backend = VectorBackend.open(2);
                Tensor x = Tensor.allocate(DType.F32, image);
                Tensor dx = Tensor.allocate(DType.F32, image).fill(Double.NaN);
                Tensor dy = Tensor.allocate(DType.F32, geometry.resultShape("MaxPoolBackward", x, "x"));
                Tensor wideX = Rng.of(39).fillUniform(Tensor.allocate(DType.F32, wider), -1, 1);
                Tensor wideDx = Tensor.allocate(DType.F32, wider);
                Tensor wideDy = Rng.of(40)
                        .fillUniform(
                                Tensor.allocate(DType.F32, geometry.resultShape("MaxPoolBackward", wideX, "x")),
                                -1,
                                1)) {
            for (long i = 0; i < wideX.elements(); i += 3) {
                wideX.set(i, Math.rint(2 * wideX.get(i)));
            }
            float[] special = {-0f, Float.NaN, Float.POSITIVE_INFINITY, Float.MIN_VALUE, Float.MAX_VALUE};
            for (long i = 0; i < wideDy.elements(); i++) {
                // sums of cubes are rounded, those of the numbers themselves mostly not
                wideDy.set(i, i % 7 == 0 ? special[(int) (i % special.length)] : Math.pow(wideDy.get(i), 3));
            }
            narrow(wideX, x, c);
            narrow(wideDy, dy, c);
            backend.run(MaxPoolBackward.OP, new MaxPoolBackward.Args(x, dy, dx, geometry));
            backend.run(MaxPoolBackward.OP, new MaxPoolBackward.Args(wideX, wideDy, wideDx, geometry));
            float[] expected = wideDx.toFloats();
            float[] found = dx.toFloats();
            for (int i = 0; i < found.length; i++) {
                int at = i;
                assertEquals(
                        Float.floatToIntBits(expected[i / c * (c + 1) + i % c]),
                        Float.floatToIntBits(found[i]),
                        () -> geometry + " of " + image + ": element " + at);
            }
        }
    }

    /** All channels but the last. */
    private static void narrow(Tensor from, Tensor to, int c) {
        float[] all = from.toFloats();
        for (int i = 0; i < to.elements(); i++) {
            to.set(i, all[i / c * (c + 1) + i % c]);
        }
    }

    @Test
    void findsTheFirstOfSeveralThatAreNotFinite() {
        float[] special = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
        try (Backend backend = VectorBackend.open(1)) {
            for (int stride = 1; stride <= 2; stride++) {
                PoolGeometry geometry = new PoolGeometry(3, 3, stride, stride, 1, stride - 1);
                for (int seed = 0; seed < 60; seed++) {
                    try (Tensor x = values(Shape.of(2, 9, 8, 16))) {
                        for (int n = 0; n < 2 + seed / 4; n++) {
                            // in one channel, so that windows have several
                            x.set(16 * ((97L * seed + 61L * n * n) % 144) + seed % 16, special[(seed + n) % 3]);
                        }
                        check(backend, geometry, x, "several, seed " + seed);
                    }
                }
            }
        }
    }

    private static void check(Backend backend, PoolGeometry geometry, Shape image, long at, float value) {
        try (Tensor x = values(image)) {
            if (at >= 0) {
                x.set(at, value);
            }
            check(backend, geometry, x, value + " at " + at);
        }
    }

    /** Ties everywhere. */
    private static Tensor values(Shape image) {
        Tensor x = Rng.of(37).fillUniform(Tensor.allocate(DType.F32, image), -2, 2);
        for (long i = 0; i < x.elements(); i++) {
            x.set(i, Math.rint(x.get(i)));
        }
        return x;
    }

    /** Gradients whose sums are exact. */
    private static void check(Backend backend, PoolGeometry geometry, Tensor x, String what) {
        try (Tensor dy = Rng.of(38)
                        .fillUniform(
                                Tensor.allocate(DType.F32, geometry.resultShape("MaxPoolBackward", x, "x")), -9, 9);
                Tensor dx = Tensor.allocate(DType.F32, x.shape()).fill(Double.NaN);
                Tensor expected = Tensor.allocate(DType.F32, x.shape())) {
            for (long i = 0; i < dy.elements(); i++) {
                dy.set(i, Math.rint(dy.get(i)));
            }
            MaxPoolBackward.OP.reference(new MaxPoolBackward.Args(x, dy, expected, geometry));
            backend.run(MaxPoolBackward.OP, new MaxPoolBackward.Args(x, dy, dx, geometry));
            assertArrayEquals(expected.toFloats(), dx.toFloats(), () -> geometry + " of " + x + ", " + what);
        }
    }
}
