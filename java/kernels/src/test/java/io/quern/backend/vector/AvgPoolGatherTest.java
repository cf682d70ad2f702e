package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.op.AvgPoolBackward;
import io.quern.op.PoolGeometry;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Pairs of pixels have the bits of a call per pixel, which serves channels that are no multiple of a vector. */
class AvgPoolGatherTest {
    private static final int CHANNELS = 48;

    @BeforeEach
    void needsVectors() {
        Assumptions.assumeTrue(
                ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
                "the module jdk.incubator.vector is not loaded in this JVM");
    }

    @Test
    void sumsInTheOrderOfACallPerPixel() {
        for (PoolGeometry geometry : new PoolGeometry[] {
            PoolGeometry.of(3, 2),
            PoolGeometry.of(3, 2).withPadding(1),
            new PoolGeometry(2, 3, 1, 2, 1, 2),
            new PoolGeometry(1, 3, 2, 2, 0, 0),
            new PoolGeometry(4, 3, 2, 2, 3, 1)
        }) {
            assertTrue(AvgPoolGather.fits(geometry, CHANNELS));
            assertFalse(AvgPoolGather.fits(geometry, CHANNELS + 1));
            for (int w : new int[] {3, 4, 5, 8, 13}) {
                for (boolean countPadding : new boolean[] {false, true}) {
                    assertSameBits(geometry, Shape.of(2, 7, w, CHANNELS), countPadding);
                }
            }
        }
    }

    private static void assertSameBits(PoolGeometry geometry, Shape image, boolean countPadding) {
        Shape wider = Shape.of(image.size(0), image.size(1), image.size(2), CHANNELS + 1);
        try (Backend backend = VectorBackend.open(2);
                Tensor dx = Tensor.allocate(DType.F32, image);
                Tensor expected = Tensor.allocate(DType.F32, wider);
                Tensor dy = Tensor.allocate(DType.F32, geometry.resultShape("test", dx, "dx"));
                Tensor wide = Tensor.allocate(DType.F32, geometry.resultShape("test", expected, "dx"))) {
            Rng.of(31).fillUniform(wide, -1, 1);
            for (long pixel = 0; pixel < dy.elements() / CHANNELS; pixel++) {
                for (int c = 0; c < CHANNELS; c++) {
                    if (c % 5 == 0) {
                        wide.set(pixel * (CHANNELS + 1) + c, -0f);
                    }
                    dy.set(pixel * CHANNELS + c, wide.get(pixel * (CHANNELS + 1) + c));
                }
            }
            backend.run(AvgPoolBackward.OP, new AvgPoolBackward.Args(dy, dx, geometry, countPadding));
            backend.run(AvgPoolBackward.OP, new AvgPoolBackward.Args(wide, expected, geometry, countPadding));
            float[] found = dx.toFloats(), perPixel = expected.toFloats();
            for (int i = 0; i < found.length; i++) {
                int at = i;
                assertEquals(
                        Float.floatToRawIntBits(perPixel[i / CHANNELS * (CHANNELS + 1) + i % CHANNELS]),
                        Float.floatToRawIntBits(found[i]),
                        () -> geometry + " of " + image + (countPadding ? ", padding counted" : "") + ": element "
                                + at);
            }
        }
    }
}
