package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.WorkerPool;
import io.quern.op.Conv2dGeometry;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Rows of few channels in machine code: the chains of {@link ThinTile}, turned into pixels, and nothing else written. */
class ThinTileCodeTest {
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT;
    private static final float OLD = 77;
    private static final int GUARD = 64;

    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(() -> ThinTileCode.of(new long[1], 1, 1) != null, "tiles of few channels");
    }

    @Test
    void longRowsAreLeftToJava() {
        assertNotNull(ThinTileCode.of(new long[25], 6, 1400));
        assertNull(ThinTileCode.of(new long[25], 6, 4000));
        assertNull(ThinTileCode.of(new long[25], 6, 400_000));
        assertNull(ThinTileCode.of(new long[25], 9, 28));
        // the first convolution of LeNet, and the gradient by the image of the second
        assertNotNull(ThinTileCode.of(new long[25], 6, 28));
        assertNotNull(ThinTileCode.of(new long[25 * 16], 6, 14));
    }

    @Test
    void equalsTheChains() {
        SplittableRandom random = new SplittableRandom(3);
        for (int k = 1; k <= PlaneWeave.MOST; k++) {
            for (int pixels : new int[] {1, 2, 7, 8, 14, 15, 16, 17, 28, 32, 33, 47, 48}) {
                for (int rows = 1; rows <= 5; rows++) {
                    check(random, k, pixels, rows, 1 + random.nextInt(12), random.nextInt(3));
                }
            }
            check(random, k, 14, 4, 400, 0);
            check(random, k, 28, 121, 25, 1);
        }
        check(random, 6, 300, 3, 25, 2);
    }

    /** @param way 0 without a bias, 1 with one, 2 with one and no results below zero */
    private static void check(SplittableRandom random, int k, int pixels, int rows, int count, int way) {
        RandomFloats floats = new RandomFloats(random, 150);
        long row = 4L * (pixels + 16 + random.nextInt(9));
        long[] taps = random.ints(count, 0, 16).mapToLong(at -> 4L * at).toArray();
        int from = random.nextInt(count), to = from + random.nextInt(count - from + 1), stride = k + random.nextInt(3);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = floats.memory(arena, (int) (rows * row / 4) + 32),
                    filter = floats.memory(arena, count * stride),
                    bias = floats.memory(arena, k),
                    y = arena.allocate(4L * (2 * GUARD + rows * pixels * k), 64);
            for (long i = 0; i < y.byteSize() / 4; i++) {
                y.setAtIndex(F, i, OLD);
            }
            ThinTileCode.of(taps, k, pixels)
                    .sum(
                            from,
                            to,
                            filter.address(),
                            4L * stride,
                            way == 0 ? 0 : bias.address(),
                            way == 2 ? 0 : ConvTile.UNBOUNDED,
                            x.address(),
                            row,
                            y.address() + 4L * GUARD,
                            rows);
            for (int i = 0; i < y.byteSize() / 4; i++) {
                int at = i - GUARD, channel = Math.floorMod(at, k), pixel = Math.floorDiv(at, k);
                float expected = OLD;
                if (at >= 0 && at < rows * pixels * k) {
                    float sum = 0;
                    for (int t = from; t < to; t++) {
                        long source = pixel / pixels * row + taps[t] + 4L * (pixel % pixels);
                        sum = Math.fma(x.get(F, source), filter.getAtIndex(F, (long) t * stride + channel), sum);
                    }
                    expected = (way == 0 ? 0 : bias.getAtIndex(F, channel)) + sum;
                    expected = way == 2 && expected < 0 ? 0 : expected;
                }
                assertEquals(
                        Float.floatToIntBits(expected),
                        Float.floatToIntBits(y.getAtIndex(F, i)),
                        () -> "k %d, %d x %d pixels, taps %d .. %d, way %d: channel %d of pixel %d"
                                .formatted(k, rows, pixels, from, to, way, channel, pixel));
            }
        }
    }

    @Test
    void convolutionsAreThoseInJava() {
        SplittableRandom random = new SplittableRandom(8);
        RandomFloats floats = new RandomFloats(random, 400);
        Scratch scratch = new ThreadScratch();
        try (WorkerPool pool = new WorkerPool(2)) {
            for (int i = 0; i < 40; i++) {
                int n = 1 + random.nextInt(3), r = 1 + random.nextInt(5), s = 2 + random.nextInt(3);
                int few = 1 + random.nextInt(8);
                int strideH = 1 + random.nextInt(3), padding = random.nextInt(3);
                int dilationH = 1 + random.nextInt(3), dilationW = 1 + random.nextInt(3);
                int h = dilationH * (r - 1) + 1 + random.nextInt(i % 10 == 0 ? 200 : 20);
                int w = dilationW * (s - 1) + 8 + random.nextInt(40);
                Conv2dGeometry geometry = new Conv2dGeometry(strideH, 1, padding, padding, dilationH, dilationW, 1);
                int p = (int) geometry.resultH(h, r), q = (int) geometry.resultW(w, s);
                ConvShape forward = new ConvShape(n, h, w, 1, r, s, few, p, q, geometry);
                Shape y = Shape.of(n, p, q, few);
                try (Tensor image = floats.tensor(Shape.of(n, h, w, 1));
                        Tensor filter = floats.tensor(Shape.of(r, s, 1, few));
                        Tensor bias = floats.tensor(Shape.of(few));
                        Tensor one = Tensor.allocate(DType.F32, y);
                        Tensor other = Tensor.allocate(DType.F32, y)) {
                    boolean relu = random.nextBoolean();
                    ThinCorrelation inCode = ThinCorrelation.of(forward);
                    assertNotNull(inCode.code, forward::toString);
                    inCode.run(image, filter, bias, one, relu, null, scratch, pool);
                    ThinCorrelation.inJava(forward).run(image, filter, bias, other, relu, null, scratch, pool);
                    assertArrayEquals(other.toFloats(), one.toFloats(), forward::toString);
                }
            }
        }
    }

    @Test
    void gradientsAreThoseInJava() {
        int[] cases = new int[7];
        SplittableRandom random = new SplittableRandom(9);
        RandomFloats floats = new RandomFloats(random, 400);
        Scratch scratch = new ThreadScratch();
        try (WorkerPool pool = new WorkerPool(2)) {
            for (int i = 0; i < 40; i++) {
                int n = 1 + random.nextInt(3), r = 1 + random.nextInt(5), s = 2 + random.nextInt(3);
                int c = 4 + random.nextInt(3), k = 1 + random.nextInt(18), padding = random.nextInt(3);
                int dilationH = 1 + random.nextInt(3), dilationW = 1 + random.nextInt(3);
                int h = dilationH * (r - 1) + 1 + random.nextInt(i % 10 == 0 ? 100 : 12);
                int w = dilationW * (s - 1) + 8 + random.nextInt(30);
                Conv2dGeometry geometry = new Conv2dGeometry(1, 1, padding, padding, dilationH, dilationW, 1);
                int p = (int) geometry.resultH(h, r), q = (int) geometry.resultW(w, s);
                ConvShape shape = new ConvShape(n, h, w, c, r, s, k, p, q, geometry);
                if (!ThinImageGradient.fits(shape)) {
                    continue;
                }
                cases[c]++;
                Shape dx = Shape.of(n, h, w, c);
                try (Tensor dy = floats.tensor(Shape.of(n, p, q, k));
                        Tensor filter = floats.tensor(Shape.of(r, s, c, k));
                        Tensor one = Tensor.allocate(DType.F32, dx);
                        Tensor other = Tensor.allocate(DType.F32, dx)) {
                    ThinImageGradient inCode = new ThinImageGradient(shape);
                    assertNotNull(inCode.code, shape::toString);
                    inCode.run(dy, filter, one, scratch, pool);
                    ThinImageGradient.inJava(shape).run(dy, filter, other, scratch, pool);
                    assertArrayEquals(other.toFloats(), one.toFloats(), shape::toString);
                }
            }
        }
        for (int c = 4; c <= 6; c++) {
            assertTrue(cases[c] >= 3, c + " channels: " + cases[c] + " cases");
        }
    }
}
