package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.backend.Backend;
import io.quern.backend.reference.ReferenceBackend;
import io.quern.op.ActivationKind;
import io.quern.op.BatchNormBackward;
import io.quern.op.Conv2d;
import io.quern.op.Conv2dBackwardData;
import io.quern.op.Conv2dBackwardWeights;
import io.quern.op.Conv2dGeometry;
import io.quern.op.MaxPoolBackward;
import io.quern.op.PoolGeometry;
import io.quern.op.Transpose;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the harness's cases are too small to reach: bands, groups of channels and threads of some kernels. */
class LargeCallsTest {
    @BeforeAll
    static void needsTheVectorModule() {
        Assumptions.assumeTrue(
                ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
                "the module jdk.incubator.vector is not loaded in this JVM");
    }

    private static Tensor random(int stream, Shape shape) {
        return Rng.of(11).stream(stream).fillUniform(Tensor.allocate(DType.F32, shape), -1, 1);
    }

    /** The results of a call on the reference and on one and three threads of the vector backend: bits, and closeness. */
    private static void check(String name, double tolerance, Function<Backend, List<Tensor>> call) {
        List<Tensor> expected = run(new ReferenceBackend(1), call);
        List<Tensor> one = run(VectorBackend.open(1), call);
        List<Tensor> three = run(VectorBackend.open(3), call);
        for (int i = 0; i < expected.size(); i++) {
            float[] e = expected.get(i).toFloats(), a = one.get(i).toFloats();
            assertArrayEquals(a, three.get(i).toFloats(), name + ", result " + i + ": bits depend on threads");
            double largest = 0;
            for (float v : e) {
                largest = Math.max(largest, Math.abs(v));
            }
            for (int j = 0; j < e.length; j++) {
                assertEquals(e[j], a[j], tolerance * largest, name + ", result " + i + ", element " + j);
            }
        }
        expected.forEach(Tensor::close);
        one.forEach(Tensor::close);
        three.forEach(Tensor::close);
    }

    private static List<Tensor> run(Backend backend, Function<Backend, List<Tensor>> call) {
        try (backend) {
            return call.apply(backend);
        }
    }

    @Test
    void depthwiseConvolutions() {
        depthwise(2, 40, 40, 80, 1, 1);
        depthwise(2, 41, 40, 80, 2, 1);
        depthwise(1, 70, 20, 96, 1, 0);
        depthwise(1, 40, 70, 96, 2, 0);
        depthwise(5, 7, 7, 144, 1, 1);
        depthwise(5, 14, 14, 144, 2, 1);
        depthwise(3, 5, 4, 112, 2, 2);
        depthwise(2, 1, 2, 48, 1, 3);
        depthwise(0, 8, 8, 16, 1, 1);
        // more than 16 MB: rows are asked for ahead
        depthwise(3, 45, 67, 256, 1, 2);
        depthwise(3, 67, 89, 256, 2, 1);
        depthwise(2, 3, 3000, 256, 1, 0);
    }

    private static void depthwise(int n, int h, int w, int c, int stride, int padding) {
        Conv2dGeometry geometry =
                Conv2dGeometry.UNIT.withStride(stride).withPadding(padding).withGroups(c);
        int p = (int) geometry.resultH(h, 3), q = (int) geometry.resultW(w, 3);
        String name = "n" + n + "h" + h + "w" + w + "c" + c + "u" + stride + "p" + padding;
        try (Tensor x = random(1, Shape.of(n, h, w, c));
                Tensor filter = random(2, Shape.of(3, 3, 1, c));
                Tensor dy = random(3, Shape.of(n, p, q, c))) {
            check(name, 1e-5, backend -> {
                Tensor y = random(4, dy.shape()), dx = random(5, x.shape()), dfilter = random(6, filter.shape());
                backend.run(Conv2d.OP, new Conv2d.Args(x, filter, y, geometry));
                backend.run(Conv2dBackwardData.OP, new Conv2dBackwardData.Args(dy, filter, dx, geometry));
                backend.run(Conv2dBackwardWeights.OP, new Conv2dBackwardWeights.Args(x, dy, dfilter, geometry));
                return List.of(y, dx, dfilter);
            });
        }
    }

    /** Several spans of Winograd's tiles, the last one shorter, of which threads take whole ones; products in chunks. */
    @Test
    void gradientsByTheFilter() {
        byTheFilter(3, 29, 27, 16, 32, 3, 3);
        byTheFilter(3, 13, 14, 32, 16, 5, 5);
        byTheFilter(7, 15, 16, 64, 80, 1, 1);
        byTheFilter(2, 105, 107, 64, 130, 1, 1); // more than 16 MB: the transpose, read in order first
        byTheFilter(2, 105, 107, 130, 64, 1, 1);
        byTheFilter(2, 35, 37, 32, 16, 1, 1); // few columns: the transpose
        byTheFilter(2, 35, 37, 32, 9, 1, 1);
        byTheFilter(2, 35, 37, 131, 22, 1, 1);
        byTheFilter(1, 31, 37, 131, 22, 1, 1); // fewer chunks than threads
        byTheFilter(1, 31, 37, 32, 31, 1, 1);
        byTheFilter(2, 35, 39, 67, 6, 1, 1);
        byTheFilter(2, 150, 300, 1, 48, 1, 9); // nine taps a row; more than 16 MB, which are read in order first
    }

    private static void byTheFilter(int n, int h, int w, int c, int k, int r, int s) {
        Conv2dGeometry geometry = Conv2dGeometry.UNIT.withPadding(r / 2, s / 2);
        try (Tensor x = random(1, Shape.of(n, h, w, c));
                Tensor dy = random(2, Shape.of(n, h, w, k))) {
            check("n" + n + "h" + h + "w" + w + "c" + c + "k" + k + "r" + r + "s" + s, 1e-5, backend -> {
                Tensor dfilter = random(3, Shape.of(r, s, c, k));
                backend.run(Conv2dBackwardWeights.OP, new Conv2dBackwardWeights.Args(x, dy, dfilter, geometry));
                return List.of(dfilter);
            });
        }
    }

    /** Pixels and results of more than 16 and 4 MB, which are asked for ahead: one, two and three panels of results, streams of pixels. */
    @Test
    void pointwiseConvolutionsFromMemory() {
        pointwise(281, 239, 64, 24);
        pointwise(281, 239, 64, 70);
        pointwise(181, 189, 16, 150);
        pointwise(389, 343, 32, 16);
    }

    private static void pointwise(int h, int w, int c, int k) {
        try (Tensor x = random(1, Shape.of(1, h, w, c));
                Tensor filter = random(2, Shape.of(1, 1, c, k))) {
            check("h" + h + "w" + w + "c" + c + "k" + k, 1e-5, backend -> {
                Tensor y = random(3, Shape.of(1, h, w, k));
                backend.run(Conv2d.OP, new Conv2d.Args(x, filter, y, Conv2dGeometry.UNIT));
                return List.of(y);
            });
        }
    }

    /** Filters of more than 1 MB, which larger parts of the images share; results of one, two and four vectors at their ends. */
    @Test
    void stridedConvolutionsByLargeFilters() {
        strided(17, 16, 160, 192, ActivationKind.RELU);
        strided(15, 18, 176, 168, ActivationKind.NONE);
    }

    private static void strided(int h, int w, int c, int k, ActivationKind kind) {
        Conv2dGeometry geometry = Conv2dGeometry.UNIT.withStride(2).withPadding(1);
        int p = (int) geometry.resultH(h, 3), q = (int) geometry.resultW(w, 3);
        try (Tensor x = random(1, Shape.of(2, h, w, c));
                Tensor filter = random(2, Shape.of(3, 3, c, k));
                Tensor bias = random(3, Shape.of(k))) {
            check("c" + c + "k" + k + " " + kind, 1e-5, backend -> {
                Tensor y = random(4, Shape.of(2, p, q, k));
                backend.run(Conv2d.OP, new Conv2d.Args(x, filter, bias, y, null, geometry, kind));
                return List.of(y);
            });
        }
    }

    /** First layers in bands of an image, streams of pixels, and gradients of filters in several blocks of pixels and chunks. */
    @Test
    void convolutionsInBlocksOfPixels() {
        Conv2dGeometry same = Conv2dGeometry.UNIT.withPadding(1), unit = Conv2dGeometry.UNIT;
        passes(2, 70, 67, 3, 3, 80, same, ActivationKind.RELU);
        passes(3, 64, 50, 3, 3, 64, same.withStride(2), ActivationKind.GELU);
        passes(1, 40, 33, 1, 5, 32, unit.withPadding(2), ActivationKind.RELU);
        passes(1, 97, 95, 20, 1, 16, unit, ActivationKind.RELU);
        passes(1, 1, 2051, 20, 1, 16, unit, ActivationKind.RELU); // 3 pixels more than a block
        passes(2, 20, 38, 27, 1, 131, unit, ActivationKind.NONE);
        passes(3, 11, 9, 260, 1, 776, unit, ActivationKind.NONE);
        passes(2, 20, 13, 514, 1, 1030, unit, ActivationKind.NONE); // one chunk of two blocks
        passes(4, 17, 16, 259, 1, 776, unit, ActivationKind.NONE); // two chunks, two blocks of pixels and of columns
        passes(3, 30, 29, 70, 1, 150, unit.withStride(2), ActivationKind.NONE);
        passes(2, 33, 34, 130, 2, 136, same.withStride(2), ActivationKind.NONE);
        passes(3, 41, 38, 20, 3, 64, same.withStride(2), ActivationKind.NONE); // filter rows as one tap, dy in place
        passes(2, 33, 31, 43, 3, 150, same.withStride(2, 1), ActivationKind.NONE);
        passes(3, 23, 7, 20, 5, 70, unit.withPadding(2, 4), ActivationKind.NONE); // pixels wholly outside
        passes(3, 41, 40, 70, 1, 150, unit.withStride(2), ActivationKind.GELU); // two chunks, two blocks
        passes(3, 41, 40, 37, 1, 700, unit.withStride(2), ActivationKind.NONE); // the same with x copied
        passes(1, 30, 29, 97, 1, 129, unit.withStride(2), ActivationKind.NONE); // rests of one channel
        passes(1, 30, 29, 80, 1, 65, unit.withStride(2), ActivationKind.NONE);
        passes(1, 30, 29, 101, 1, 65, unit.withStride(2), ActivationKind.NONE);
        passes(3, 21, 20, 230, 1, 300, unit, ActivationKind.NONE); // strips of a dense image
        passes(3, 31, 40, 130, 3, 136, same.withStride(2, 1).withDilation(2), ActivationKind.NONE);
    }

    private static void passes(
            int n, int h, int w, int c, int taps, int k, Conv2dGeometry geometry, ActivationKind kind) {
        int p = (int) geometry.resultH(h, taps), q = (int) geometry.resultW(w, taps);
        try (Tensor x = random(1, Shape.of(n, h, w, c));
                Tensor filter = random(2, Shape.of(taps, taps, c, k));
                Tensor bias = random(3, Shape.of(k));
                Tensor dy = random(4, Shape.of(n, p, q, k))) {
            check("h" + h + "w" + w + "c" + c + "k" + k + " " + kind, 1e-5, backend -> {
                Tensor y = random(5, dy.shape()), dfilter = random(6, filter.shape());
                Tensor z = kind.fromOutput() ? null : random(7, dy.shape());
                backend.run(Conv2d.OP, new Conv2d.Args(x, filter, bias, y, z, geometry, kind));
                backend.run(Conv2dBackwardWeights.OP, new Conv2dBackwardWeights.Args(x, dy, dfilter, geometry));
                return z == null ? List.of(y, dfilter) : List.of(y, dfilter, z);
            });
        }
    }

    /** Images of one channel in three bands of rows, the last one short, for a share of a tile's channels and for two tiles. */
    @Test
    void convolutionsOfOneChannelInBandsOfAnImage() {
        for (int k : new int[] {1, 2, 6, 8}) {
            for (int strideH = 1; strideH <= 2; strideH++) {
                for (ActivationKind kind : List.of(ActivationKind.NONE, ActivationKind.RELU, ActivationKind.GELU)) {
                    oneChannel(k, strideH, kind);
                }
            }
        }
    }

    private static void oneChannel(int k, int strideH, ActivationKind kind) {
        Conv2dGeometry geometry = Conv2dGeometry.UNIT.withStride(strideH, 1).withPadding(2);
        try (Tensor x = random(1, Shape.of(2, 150, 130, 1));
                Tensor filter = random(2, Shape.of(5, 5, 1, k));
                Tensor bias = random(3, Shape.of(k))) {
            Shape shape = Shape.of(2, geometry.resultH(150, 5), geometry.resultW(130, 5), k);
            check("k" + k + " strideH " + strideH + " " + kind, 1e-5, backend -> {
                Tensor y = random(4, shape), z = kind == ActivationKind.GELU ? random(5, shape) : null;
                backend.run(Conv2d.OP, new Conv2d.Args(x, filter, bias, y, z, geometry, kind));
                return z == null ? List.of(y) : List.of(y, z);
            });
        }
    }

    @Test
    void bandsOfTransposesAreEvenAndKeepThreadsBusy() {
        assertEquals(160, TransposeVector.band(300, 128, 1, 1), "two bands of 160 and 140");
        assertEquals(256, TransposeVector.band(256, 128, 1, 1), "one thread");
        assertEquals(128, TransposeVector.band(256, 128, 1, 2), "two threads");
        assertEquals(256, TransposeVector.band(256, 128, 8, 2), "planes for all threads");
        assertEquals(256, TransposeVector.band(256, 8, 1, 2), "too little for two threads");
        assertEquals(16, TransposeVector.band(3, 128, 1, 4), "less than a cache line");
        assertEquals(256, TransposeVector.band(3136, 64, 32, 4), "thirteen bands");
    }

    @Test
    void transposesInBands() {
        for (int planes : new int[] {1, 3}) {
            for (int extent : new int[] {37, 300, 600}) {
                for (int width : new int[] {130, 200}) {
                    transpose(planes, extent, width);
                }
            }
        }
    }

    /** Strips whose last columns ask for the strip below, and what no whole strip, tile or cache line covers. */
    @Test
    void transposesFromMemory() {
        for (int width : new int[] {31, 32, 43, 64, 4100}) {
            for (int planes : new int[] {1, 3}) {
                int extent = (int) (Copies.CACHED / 8 / width / planes) + 23;
                transpose(planes, extent, width);
            }
        }
    }

    private static void transpose(int planes, int extent, int width) {
        Shape shape = Shape.of(planes, extent, width);
        try (Tensor x = random(1, Shape.of(planes, width, extent))) {
            check(shape.toString(), 0, backend -> {
                Tensor y = random(2, shape);
                backend.run(Transpose.OP, new Transpose.Args(x, y, List.of(0, 2, 1)));
                return List.of(y);
            });
        }
    }

    @Test
    void gradientsOfMaximaInBandsOfAnImage() {
        for (PoolGeometry geometry : List.of(
                PoolGeometry.of(3, 2).withPadding(1), PoolGeometry.of(3, 1).withPadding(1))) {
            try (Tensor x = random(1, Shape.of(1, 70, 70, 64));
                    Tensor dy = random(2, geometry.resultShape("MaxPoolBackward", x, "x"))) {
                // a NaN beyond the first band, which ends at row 59 or 60
                x.set((64 * 70 + 33) * 64 + 5, Double.NaN);
                check(geometry.toString(), 1e-6, backend -> {
                    Tensor dx = random(3, x.shape());
                    backend.run(MaxPoolBackward.OP, new MaxPoolBackward.Args(x, dy, dx, geometry));
                    return List.of(dx);
                });
            }
        }
    }

    @Test
    void gradientsOfMaximaOfWindowsOfNine() {
        for (int stride = 1; stride <= 2; stride++) {
            for (int padding = 0; padding <= 2; padding++) {
                for (int edge : new int[] {3, 4, 5, 8, 11}) {
                    PoolGeometry geometry = PoolGeometry.of(3, stride).withPadding(padding);
                    try (Tensor x = random(1, Shape.of(2, edge, edge + 1, 32));
                            Tensor dy = random(2, geometry.resultShape("MaxPoolBackward", x, "x"))) {
                        // ties everywhere, then an infinity and a NaN in one image
                        for (long i = 0; i < x.elements(); i++) {
                            x.set(i, Math.rint(2 * x.get(i)));
                        }
                        x.set(7, Double.POSITIVE_INFINITY);
                        x.set(x.elements() / 4, Double.NaN);
                        check(edge + " " + geometry, 1e-6, backend -> {
                            Tensor dx = random(3, x.shape());
                            backend.run(MaxPoolBackward.OP, new MaxPoolBackward.Args(x, dy, dx, geometry));
                            return List.of(dx);
                        });
                    }
                }
            }
        }
    }

    @Test
    void gradientsOfBatchNormBeyondTheCaches() {
        for (int channels : new int[] {64, 80, 256}) {
            batchNorm(2_200_000 / channels, channels, 1, 1);
        }
    }

    /** Products beyond the range of float whose scaled sum is not. */
    @Test
    void gradientsOfBatchNormOfHugeValues() {
        batchNorm(300, 128, 1e20f, 1e20f);
    }

    private static void batchNorm(int rows, int channels, float size, float gradient) {
        try (Tensor x = random(1, Shape.of(rows, channels));
                Tensor dy = random(2, x.shape());
                Tensor gamma = random(3, Shape.of(channels));
                Tensor mean = Tensor.allocate(DType.F32, Shape.of(channels));
                Tensor inverseDeviation = Tensor.allocate(DType.F32, Shape.of(channels))) {
            for (long i = 0; i < x.elements(); i++) {
                x.set(i, (float) (x.get(i) * size));
                dy.set(i, (float) (dy.get(i) * gradient));
            }
            for (int c = 0; c < channels; c++) {
                mean.set(c, 0.01f * size);
                inverseDeviation.set(c, 1.7f / size);
            }
            check("batch norm " + rows + "x" + channels + " of " + size, 1e-5, backend -> {
                Tensor dx = random(4, x.shape()), dgamma = random(5, gamma.shape()), dbeta = random(6, gamma.shape());
                backend.run(
                        BatchNormBackward.OP,
                        new BatchNormBackward.Args(x, dy, gamma, mean, inverseDeviation, dx, dgamma, dbeta));
                return List.of(dx, dgamma, dbeta);
            });
        }
    }
}
