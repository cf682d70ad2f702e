package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.quern.backend.WorkerPool;
import io.quern.backend.ffi.NativeMemory;
import io.quern.op.Conv2dGeometry;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whether results pass by the caches, and on how many threads, changes no bit; and where they do not begin on a cache line, they do not. */
class ConvDepthwiseTest {
    private long least;

    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(() -> DepthwiseCode.takes(1), "depthwise convolutions");
        least = StreamCode.least;
    }

    @AfterEach
    void bound() {
        if (least != 0) {
            StreamCode.least = least;
        }
    }

    @Test
    void pastTheCachesOrNot() {
        for (int stride = 1; stride <= 2; stride++) {
            for (int padding = 0; padding <= 3 - stride; padding++) {
                for (int side : new int[] {3, 8, 31}) {
                    check(stride, padding, side, 48);
                }
            }
        }
        check(1, 1, 60, 272); // x and y beyond the caches
        check(2, 1, 121, 144);
    }

    private static void check(int stride, int padding, int side, int channels) {
        Conv2dGeometry geometry =
                Conv2dGeometry.UNIT.withStride(stride).withPadding(padding).withGroups(channels);
        int n = 3, p = (side + 2 * padding - 3) / stride + 1;
        ConvShape shape = new ConvShape(n, side, side, channels, 3, 3, channels, p, p, geometry);
        try (Tensor x = random(1, Shape.of(n, side, side, channels));
                Tensor filter = random(2, Shape.of(3, 3, 1, channels));
                Tensor dy = random(3, Shape.of(n, p, p, channels))) {
            float[][] expected = null;
            for (int threads : new int[] {1, 3}) {
                try (WorkerPool pool = new WorkerPool(threads)) {
                    for (long bound : new long[] {Long.MAX_VALUE, 0}) {
                        for (int offset : new int[] {0, 1}) {
                            StreamCode.least = bound;
                            float[][] found = passes(shape, x, filter, dy, offset, pool);
                            expected = expected == null ? found : expected;
                            for (int pass = 0; pass < found.length; pass++) {
                                assertArrayEquals(
                                        expected[pass],
                                        found[pass],
                                        "stride %d, padding %d, side %d, %d threads, results of %d bytes past the caches, %d floats from a line, pass %d"
                                                .formatted(stride, padding, side, threads, bound, offset, pass));
                            }
                        }
                    }
                }
            }
        }
    }

    private static float[][] passes(ConvShape shape, Tensor x, Tensor filter, Tensor dy, int offset, WorkerPool pool) {
        Scratch scratch = new ThreadScratch();
        ConvDepthwise convolution = new ConvDepthwise(shape);
        try (Tensor y = Tensor.allocate(DType.F32, Shape.of(offset + dy.elements()));
                Tensor dx = Tensor.allocate(DType.F32, Shape.of(offset + x.elements()));
                Tensor dfilter = Tensor.allocate(DType.F32, filter.shape())) {
            Tensor result = y.slice(0, offset, offset + dy.elements());
            Tensor gradient = dx.slice(0, offset, offset + x.elements());
            convolution.forward(x, filter, null, result, true, null, scratch, pool);
            convolution.backwardData(dy, filter, gradient, scratch, pool);
            convolution.backwardWeights(x, dy, dfilter, scratch, pool);
            return new float[][] {floats(result), floats(gradient), floats(dfilter)};
        }
    }

    private static float[] floats(Tensor tensor) {
        return NativeMemory.ALL
                .asSlice(tensor.address(), Float.BYTES * tensor.elements())
                .toArray(ValueLayout.JAVA_FLOAT);
    }

    private static Tensor random(int seed, Shape shape) {
        SplittableRandom random = new SplittableRandom(seed);
        Tensor tensor = Tensor.allocate(DType.F32, shape);
        MemorySegment memory = NativeMemory.ALL.asSlice(tensor.address(), Float.BYTES * tensor.elements());
        for (long i = 0; i < tensor.elements(); i++) {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
        }
        return tensor;
    }
}
