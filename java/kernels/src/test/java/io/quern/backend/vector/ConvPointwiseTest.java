package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.op.Conv2dBackwardData;
import io.quern.op.Conv2dGeometry;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Gradients by the image of 1x1 convolutions, of more pixels than the harness has, against one fused chain per element. */
class ConvPointwiseTest {
    @BeforeAll
    static void needsTheVectorModule() {
        Assumptions.assumeTrue(
                ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
                "the module jdk.incubator.vector is not loaded in this JVM");
    }

    /** Channels that fill a vector, and one less; depths up to the most that {@link PointwiseStream} takes; strides. */
    @ParameterizedTest(name = "size {0}, {1} results, stride {2}, {3} channels less than a vector, {4} threads")
    @CsvSource({
        "33, 20, 1, 0, 1",
        "33, 20, 1, 0, 3",
        "65, 20, 2, 0, 1",
        "65, 96, 2, 0, 3",
        "40, 128, 1, 0, 2",
        "33, 20, 1, 1, 2"
    })
    void equalsOneChainPerElement(int size, int k, int stride, int fewer, int threads) {
        int c = Lanes.FLOATS - fewer, side = (size - 1) / stride + 1;
        Conv2dGeometry geometry = Conv2dGeometry.UNIT.withStride(stride);
        try (VectorBackend backend = VectorBackend.open(threads);
                Tensor dy = random(1, Shape.of(2, side, side, k));
                Tensor filter = random(2, Shape.of(1, 1, c, k));
                Tensor dx = random(3, Shape.of(2, size, size, c))) {
            for (int call = 0; call < 2; call++) {
                backend.run(Conv2dBackwardData.OP, new Conv2dBackwardData.Args(dy, filter, dx, geometry));
            }
            float[] gradients = dy.toFloats(), weights = filter.toFloats(), found = dx.toFloats();
            for (int pixel = 0; pixel < 2 * size * size; pixel++) {
                int image = pixel / (size * size), row = pixel / size % size, column = pixel % size;
                boolean met = row % stride == 0 && column % stride == 0;
                int at = ((image * side + row / stride) * side + column / stride) * k;
                for (int channel = 0; channel < c; channel++) {
                    float expected = 0;
                    for (int j = 0; met && j < k; j++) {
                        expected = Math.fma(gradients[at + j], weights[channel * k + j], expected);
                    }
                    int element = pixel * c + channel;
                    if (Float.floatToRawIntBits(expected) != Float.floatToRawIntBits(found[element])) {
                        assertEquals(expected, found[element], "pixel " + pixel + ", channel " + channel);
                    }
                }
            }
        }
    }

    private static Tensor random(int stream, Shape shape) {
        return Rng.of(7).stream(stream).fillUniform(Tensor.allocate(DType.F32, shape), -1, 1);
    }
}
