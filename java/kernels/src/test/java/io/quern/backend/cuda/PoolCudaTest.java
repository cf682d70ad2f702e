package io.quern.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.op.ArgsMap;
import io.quern.op.AvgPool;
import io.quern.op.AvgPoolBackward;
import io.quern.op.MaxPool;
import io.quern.op.MaxPoolBackward;
import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.op.PoolGeometry;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import io.quern.testing.OnEveryCudaDevice;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pools at all paddings of the compiled geometries; maxima of images full of equal numbers, infinities and NaNs. */
class PoolCudaTest extends OnEveryCudaDevice {
    private static final float[] VALUES = {
        Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY, -1, -0f, 0f, 1, Float.POSITIVE_INFINITY, Float.NaN
    };

    /** Images of few rows and columns, and of more than a thread takes. */
    @ParameterizedTest
    @CsvSource({"3,2,0", "3,2,1", "3,2,2", "2,2,0", "2,2,1", "3,1,2"})
    void sameAsTheReference(int window, int stride, int padding) {
        PoolGeometry geometry = PoolGeometry.of(window, stride).withPadding(padding);
        SplittableRandom random = new SplittableRandom(window * 100L + stride * 10L + padding);
        try (CudaBackend backend = device.open();
                Workspace host = new Workspace(Memory.host());
                Workspace memory = new Workspace(backend.memory())) {
            for (int[] extents : new int[][] {{1, 2}, {2, 1}, {3, 3}, {3, 8}, {5, 4}, {19, 6}, {22, 23}}) {
                if (Math.min(extents[0], extents[1]) + 2 * padding < window) {
                    continue; // no window
                }
                for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
                    for (int channels : new int[] {3, 16}) {
                        for (int values : new int[] {1, 5, 7, 8}) {
                            Shape image = Shape.of(2, extents[0], extents[1], channels);
                            Tensor x = host.allocate(dtype, image);
                            for (int i = 0; i < x.elements(); i++) {
                                x.set(i, VALUES[random.nextInt(values)]);
                            }
                            Tensor y = host.allocate(dtype, geometry.resultShape("test", x, "x"));
                            // few bits, so that all sums are exact
                            Tensor dy = host.allocate(dtype, y.shape());
                            for (int i = 0; i < dy.elements(); i++) {
                                dy.set(i, i % 3 == 0 ? -0f : random.nextInt(-16, 16));
                            }
                            String label = image + " " + geometry + " " + dtype + ", " + values + " values";
                            check(MaxPool.OP, new MaxPool.Args(x, y, geometry), 0, label, backend, memory);
                            MaxPoolBackward.Args backward =
                                    new MaxPoolBackward.Args(x, dy, host.allocate(dtype, image), geometry);
                            check(MaxPoolBackward.OP, backward, 0, label, backend, memory);
                        }
                        means(Shape.of(2, extents[0], extents[1], channels), geometry, dtype, backend, host, memory);
                    }
                }
            }
        }
    }

    private static void means(
            Shape image, PoolGeometry geometry, DType dtype, CudaBackend backend, Workspace host, Workspace memory) {
        for (boolean countPadding : new boolean[] {false, true}) {
            Tensor x = Rng.of(1).fillUniform(host.allocate(dtype, image), 1, 2);
            Tensor y = host.allocate(dtype, geometry.resultShape("test", x, "x"));
            Tensor dy = Rng.of(2).fillUniform(host.allocate(dtype, y.shape()), 1, 2);
            Tensor dx = host.allocate(dtype, image);
            String label = image + " " + geometry + " " + dtype + (countPadding ? ", padding counted" : "");
            // all terms are positive: at most a dozen roundings, and that of the storage
            double relative = 12 * DType.F32.unitRoundoff() + 2.1 * dtype.unitRoundoff();
            AvgPool.Args forward = new AvgPool.Args(x, y, geometry, countPadding);
            check(AvgPool.OP, forward, relative, label, backend, memory);
            AvgPoolBackward.Args backward = new AvgPoolBackward.Args(dy, dx, geometry, countPadding);
            check(AvgPoolBackward.OP, backward, relative, label, backend, memory);
        }
    }

    private static <A extends OpArgs> void check(
            Op<A> op, A args, double relative, String label, CudaBackend backend, Workspace memory) {
        args.outputs().getFirst().fill(77);
        A placed = ArgsMap.map(
                args, tensor -> memory.allocate(tensor.dtype(), tensor.shape()).copyFrom(tensor));
        backend.synchronize();
        backend.run(op, placed);
        float[] actual = placed.outputs().getFirst().toFloats();
        op.reference(args);
        float[] expected = args.outputs().getFirst().toFloats();
        for (int i = 0; i < actual.length; i++) {
            if (op.equals(MaxPool.OP)) {
                // 0 for -0: they are equal, and either may be the first of the largest
                actual[i] += 0f;
                expected[i] += 0f;
            }
            if (relative != 0) {
                assertEquals(
                        expected[i], actual[i], Math.abs(expected[i]) * relative, op.name() + " " + label + " at " + i);
            }
        }
        if (relative == 0) {
            assertArrayEquals(expected, actual, op.name() + " " + label);
        }
    }
}
