package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.WorkerPool;
import io.quern.op.Conv2d;
import io.quern.op.Conv2dBackwardWeights;
import io.quern.op.Conv2dGeometry;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** When lanes run along pixels, and what the harness is too small or too random to reach. */
class ThinFilterGradientTest {
    private static final Conv2dGeometry SAME = Conv2dGeometry.UNIT.withPadding(2);
    /** Results that fit at any width of vectors. */
    private static final int FEW = Math.min(6, Lanes.FLOATS / 2);

    @BeforeAll
    static void needsTheVectorModule() {
        Assumptions.assumeTrue(
                ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
                "the module jdk.incubator.vector is not loaded in this JVM");
    }

    private static ConvShape shape(int n, int c, int k, Conv2dGeometry geometry) {
        int p = (int) geometry.resultH(28, 5);
        return new ConvShape(n, 28, 28, c, 5, 5, k, p, p, geometry);
    }

    private static Tensor random(int stream, Shape shape) {
        return Rng.of(5).stream(stream).fillUniform(Tensor.allocate(DType.F32, shape), -1, 1);
    }

    @Test
    void itIsChosenForOneChannelAndFewResults() {
        assertNotNull(ThinFilterGradient.of(shape(32, 1, FEW, SAME)));
        assertNull(ThinFilterGradient.of(shape(32, 3, FEW, SAME)), "three channels");
        assertNull(ThinFilterGradient.of(shape(32, 1, Lanes.FLOATS, SAME)), "results that fill a vector");
        assertNull(ThinFilterGradient.of(shape(32, 1, FEW, SAME.withStride(2))), "pixels that are no neighbours");
    }

    @Test
    void bitsDoNotDependOnTheNumberOfThreads() {
        float[][] results = new float[3][], forward = new float[3][];
        for (int threads = 1; threads <= 3; threads++) {
            try (VectorBackend backend = VectorBackend.open(threads);
                    Tensor x = random(1, Shape.of(37, 28, 28, 1));
                    Tensor dy = random(2, Shape.of(37, 28, 28, FEW));
                    Tensor gradient = Tensor.allocate(DType.F32, Shape.of(5, 5, 1, FEW))) {
                backend.run(Conv2dBackwardWeights.OP, new Conv2dBackwardWeights.Args(x, dy, gradient, SAME));
                results[threads - 1] = gradient.toFloats();
                backend.run(Conv2d.OP, new Conv2d.Args(x, gradient, dy, SAME));
                forward[threads - 1] = dy.toFloats();
            }
        }
        assertArrayEquals(results[0], results[1], "two threads");
        assertArrayEquals(results[0], results[2], "three threads");
        assertArrayEquals(forward[0], forward[1], "forward, two threads");
        assertArrayEquals(forward[0], forward[2], "forward, three threads");
    }

    /** The pixel in the last column but one meets padding zeros of dy, and an infinity of any must reach some taps alone. */
    @Test
    void whatIsNotFiniteStaysWhereItBelongs() {
        ConvShape shape = shape(2, 1, FEW, SAME);
        for (float value : new float[] {0.5f, Float.NaN, Float.POSITIVE_INFINITY}) {
            try (WorkerPool pool = new WorkerPool(1);
                    VectorBackend backend = VectorBackend.open(1);
                    Tensor x = random(1, Shape.of(2, 28, 28, 1));
                    Tensor dy = random(2, Shape.of(2, 28, 28, FEW));
                    Tensor gradient = Tensor.allocate(DType.F32, Shape.of(5, 5, 1, FEW));
                    Tensor direct = Tensor.allocate(DType.F32, gradient.shape())) {
                x.set(26, value);
                Scratch scratch = new ThreadScratch();
                new FilterGradient(shape).run(x, dy, direct, scratch, pool);
                boolean done = ThinFilterGradient.of(shape).run(x, dy, gradient, scratch, pool);
                if (Float.isFinite(value)) {
                    assertTrue(done);
                    assertArrayEquals(direct.toFloats(), gradient.toFloats(), 1e-4f);
                } else {
                    assertFalse(done, "a result with " + value + " counts as finite");
                    backend.run(Conv2dBackwardWeights.OP, new Conv2dBackwardWeights.Args(x, dy, gradient, SAME));
                    assertArrayEquals(direct.toFloats(), gradient.toFloats(), "value " + value);
                }
            }
        }
    }
}
