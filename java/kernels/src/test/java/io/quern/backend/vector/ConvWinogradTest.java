package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.op.Conv2d;
import io.quern.op.Conv2dBackwardData;
import io.quern.op.Conv2dBackwardWeights;
import io.quern.op.Conv2dGeometry;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** When Winograd's sums are used, and what the harness is too small or too random to reach. */
class ConvWinogradTest {
    private static final Conv2dGeometry SAME = Conv2dGeometry.UNIT.withPadding(1);

    @BeforeAll
    static void needsTheVectorModule() {
        Assumptions.assumeTrue(
                ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
                "the module jdk.incubator.vector is not loaded in this JVM");
    }

    private static ConvShape shape(int n, int side, int c, int k, Conv2dGeometry geometry) {
        int p = (int) geometry.resultH(side, 3);
        return new ConvShape(n, side, side, c, 3, 3, k, p, p, geometry);
    }

    private static Tensor random(int stream, Shape shape) {
        return Rng.of(7).stream(stream).fillUniform(Tensor.allocate(DType.F32, shape), -1, 1);
    }

    @Test
    void itIsChosenForWideLayersUnlessTheCallerWantsDirectSums() {
        for (ConvShape shape :
                new ConvShape[] {shape(8, 56, 64, 64, SAME), shape(1, 14, 256, 256, SAME), shape(32, 32, 16, 16, SAME)
                }) {
            assertNotNull(ConvWinograd.forward(shape), shape.toString());
            assertNotNull(ConvWinograd.backward(shape), shape.toString());
        }
        ConvShape five = new ConvShape(32, 14, 14, 32, 5, 5, 64, 14, 14, Conv2dGeometry.UNIT.withPadding(2));
        assertNotNull(ConvWinograd.forward(five));
        assertNotNull(ConvWinograd.backward(five));
        assertNotNull(WinogradGradient.of(five));
        assertNull(ConvWinograd.forward(shape(8, 56, 64, 64, SAME.withDirect())));
        assertNull(ConvWinograd.forward(shape(8, 56, 64, 64, SAME.withStride(2))));
        assertNull(ConvWinograd.forward(shape(8, 224, 3, 64, SAME)));
        assertNull(ConvWinograd.forward(shape(1, 3, 512, 512, Conv2dGeometry.UNIT)), "one result pixel");
    }

    /**
     * More transformed tiles than are kept at once, and a last block of tiles that is not full; by the filter also slices of
     * columns, the last of them narrower.
     */
    @Test
    void largeCallsAgreeWithDirectSums() {
        try (VectorBackend backend = VectorBackend.open(2);
                Tensor x = random(1, Shape.of(7, 21, 21, 512));
                Tensor filter = random(2, Shape.of(3, 3, 512, 272));
                Tensor y = Tensor.allocate(DType.F32, Shape.of(7, 21, 21, 272));
                Tensor direct = Tensor.allocate(DType.F32, y.shape());
                Tensor gradient = Tensor.allocate(DType.F32, filter.shape());
                Tensor directGradient = Tensor.allocate(DType.F32, filter.shape())) {
            backend.run(Conv2d.OP, new Conv2d.Args(x, filter, y, SAME));
            backend.run(Conv2d.OP, new Conv2d.Args(x, filter, direct, SAME.withDirect()));
            close(y.toFloats(), direct.toFloats());
            backend.run(Conv2dBackwardWeights.OP, new Conv2dBackwardWeights.Args(x, y, gradient, SAME));
            backend.run(
                    Conv2dBackwardWeights.OP, new Conv2dBackwardWeights.Args(x, y, directGradient, SAME.withDirect()));
            close(gradient.toFloats(), directGradient.toFloats());
        }
    }

    private static void close(float[] actual, float[] expected) {
        double squares = 0;
        double error = 0;
        for (int i = 0; i < expected.length; i++) {
            squares += (double) expected[i] * expected[i];
            error += Math.pow((double) actual[i] - expected[i], 2);
        }
        assertTrue(error > 0, "the same bits: both took the same way");
        assertEquals(0, Math.sqrt(error / squares), 5e-6, "root mean square, relative");
    }

    /** One infinite pixel reaches nine results, not the whole tile; nor do values that overflow in between. */
    @Test
    void whatIsNotFiniteStaysWhereItBelongs() {
        for (int taps : new int[] {3, 5}) {
            Conv2dGeometry same = Conv2dGeometry.UNIT.withPadding(taps / 2);
            for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY, 2e38f}) {
                try (VectorBackend backend = VectorBackend.open(1);
                        Tensor x = random(1, Shape.of(2, 24, 24, 16));
                        Tensor filter = random(2, Shape.of(taps, taps, 16, 16));
                        Tensor y = Tensor.allocate(DType.F32, x.shape());
                        Tensor direct = Tensor.allocate(DType.F32, x.shape())) {
                    x.set((5 * 24 + 6) * 16 + 3, value);
                    String name = taps + " taps, " + value;
                    backend.run(Conv2d.OP, new Conv2d.Args(x, filter, y, same));
                    backend.run(Conv2d.OP, new Conv2d.Args(x, filter, direct, same.withDirect()));
                    assertArrayEquals(direct.toFloats(), y.toFloats(), "forward, " + name);
                    backend.run(Conv2dBackwardData.OP, new Conv2dBackwardData.Args(x, filter, y, same));
                    backend.run(
                            Conv2dBackwardData.OP, new Conv2dBackwardData.Args(x, filter, direct, same.withDirect()));
                    assertArrayEquals(direct.toFloats(), y.toFloats(), "by the image, " + name);
                }
            }
        }
    }
}
