package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

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

/** The sums of terms in machine code: those of {@link ConvThin}, and nothing else written. */
class ThinSumCodeTest {
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT;
    private static final float OLD = 77;
    private static final int GUARD = 16;

    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(() -> ThinSumCode.of(new long[1], new int[] {0, 1}, 1, 1) != null, "sums of terms");
    }

    @Test
    void manyTermsAreLeftToJava() {
        assertNotNull(ThinSumCode.of(new long[201], new int[] {0, 1, 201}, 3, 40));
        assertNull(ThinSumCode.of(new long[201], new int[] {0, 1, 201}, 3, 41));
        assertNull(ThinSumCode.of(new long[201], new int[] {0, 200, 201}, 3, 1 << 30));
        // the first convolution of a network for images of 224 x 224, 7 x 7 taps with stride 2
        assertNotNull(ThinSumCode.of(new long[4], new int[] {0, 4}, 3, 7));
    }

    @Test
    void equalsTheChains() {
        SplittableRandom random = new SplittableRandom(3);
        for (int channels = 1; channels <= 8; channels++) {
            for (int rows = 0; rows <= 7; rows++) {
                for (int pixels : new int[] {1, 2, 15, 28, 700}) {
                    check(random, channels, rows, pixels, 5);
                }
            }
            // a call for each pixel
            check(random, channels, 40, 3, 200);
        }
    }

    private static void check(SplittableRandom random, int channels, int rows, int pixels, int most) {
        RandomFloats floats = new RandomFloats(random, 100);
        int wide = 8 * pixels + 8;
        int[] firstTerm = new int[pixels + 1];
        for (int x = 0; x < pixels; x++) {
            firstTerm[x + 1] = firstTerm[x] + random.nextInt(most + 1);
        }
        long[] terms = random.ints(firstTerm[pixels], 0, wide - 8)
                .mapToLong(at -> 4L * at)
                .toArray();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = floats.memory(arena, (rows + 1) * wide),
                    y = arena.allocate(4L * (pixels * channels + 2 * GUARD), 4);
            for (int i = 0; i < y.byteSize() / 4; i++) {
                y.setAtIndex(F, i, OLD);
            }
            long[] from = new long[rows + 1];
            for (int i = 0; i < rows; i++) {
                from[i] = source.address() + 4L * i * wide;
            }
            ThinSumCode.of(terms, firstTerm, channels, rows).sum(from, rows, y.address() + 4L * GUARD);
            for (int i = 0; i < y.byteSize() / 4; i++) {
                int x = Math.floorDiv(i - GUARD, channels), channel = Math.floorMod(i - GUARD, channels);
                float expected = OLD;
                if (x >= 0 && x < pixels) {
                    expected = 0;
                    for (int row = 0; row < rows; row++) {
                        for (int t = firstTerm[x]; t < firstTerm[x + 1]; t++) {
                            expected += source.get(F, 4L * row * wide + terms[t] + 4L * channel);
                        }
                    }
                }
                assertEquals(
                        Float.floatToIntBits(expected),
                        Float.floatToIntBits(y.getAtIndex(F, i)),
                        () -> "%d channels, %d rows, %d pixels: channel %d of pixel %d"
                                .formatted(channels, rows, pixels, channel, x));
            }
        }
    }

    @Test
    void gradientsAreThoseInJava() {
        SplittableRandom random = new SplittableRandom(9);
        RandomFloats floats = new RandomFloats(random, 400);
        Scratch scratch = new ThreadScratch();
        try (WorkerPool pool = new WorkerPool(2)) {
            for (int i = 0; i < 40; i++) {
                int n = 1 + random.nextInt(3),
                        h = 8 + random.nextInt(i % 10 == 0 ? 80 : 12),
                        w = 9 + random.nextInt(30);
                int r = 1 + random.nextInt(5), s = 2 + random.nextInt(3), c = 1 + random.nextInt(8);
                int k = 1 + random.nextInt(18);
                Conv2dGeometry geometry =
                        Conv2dGeometry.UNIT.withPadding(random.nextInt(3)).withStride(1 + random.nextInt(2));
                int p = (int) geometry.resultH(h, r), q = (int) geometry.resultW(w, s);
                ConvShape shape = new ConvShape(n, h, w, c, r, s, k, p, q, geometry);
                Shape dx = Shape.of(n, h, w, c);
                try (Tensor dy = floats.tensor(Shape.of(n, p, q, k));
                        Tensor filter = floats.tensor(Shape.of(r, s, c, k));
                        Tensor one = Tensor.allocate(DType.F32, dx);
                        Tensor other = Tensor.allocate(DType.F32, dx)) {
                    ConvThin inCode = new ConvThin(shape);
                    assertNotNull(inCode.code, shape::toString);
                    inCode.run(dy, filter, one, scratch, pool);
                    ConvThin.inJava(shape).run(dy, filter, other, scratch, pool);
                    assertArrayEquals(other.toFloats(), one.toFloats(), shape::toString);
                }
            }
        }
    }
}
