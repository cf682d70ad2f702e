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

/** The gradient by a filter of few channels in machine code: the chains of {@link ThinFilterGradient}, and nothing else written. */
class ThinFilterCodeTest {
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT;
    private static final int LANES = 16, TILE = ThinFilterCode.TAPS * ThinFilterCode.PLANES;
    private static final float OLD = 77;

    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(() -> ThinFilterCode.of(new long[5], 1, 1, 1) != null, "bands of few channels");
    }

    @Test
    void longRowsAreLeftToJava() {
        assertNotNull(ThinFilterCode.of(new long[25], 6, 4000, 1));
        assertNull(ThinFilterCode.of(new long[25], 6, 400_000, 1));
        assertNull(ThinFilterCode.of(new long[25], 9, 28, 1));
        // the first convolution of LeNet
        assertNotNull(ThinFilterCode.of(new long[25], 6, 28, 28));
    }

    @Test
    void equalsTheChains() {
        SplittableRandom random = new SplittableRandom(3);
        for (int k = 1; k <= PlaneWeave.MOST; k++) {
            for (int pixels : new int[] {1, 2, 7, 8, 14, 15, 16, 17, 28, 32, 33, 47, 48}) {
                check(random, k, pixels, 1 + random.nextInt(5), 1 + random.nextInt(3));
            }
            check(random, k, 28, 28, 5);
            // several calls
            check(random, k, 33, 40, 20);
        }
    }

    private static void check(SplittableRandom random, int k, int pixels, int lines, int tapGroups) {
        RandomFloats floats = new RandomFloats(random, 200);
        int vectors = (pixels + LANES - 1) / LANES, groups = (k + 2) / 3, all = 3 * groups;
        long row = 4L * (vectors * LANES + random.nextInt(9)), plane = 4L * (lines * vectors * LANES);
        int count = ThinFilterCode.TAPS * tapGroups;
        long[] taps = random.ints(count, 0, 16).mapToLong(at -> 4L * at).toArray();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment dy = floats.memory(arena, lines * pixels * k),
                    copy = floats.memory(arena, (int) (lines * row / 4) + LANES),
                    planes = arena.allocate(all * plane + Lanes.LINE, 64),
                    sums = arena.allocate(4L * LANES * (tapGroups * groups * TILE + 1), 64);
            fill(planes);
            fill(sums);
            for (long i = k * plane / 4; i < all * plane / 4; i++) {
                planes.setAtIndex(F, i, 0);
            }
            ThinFilterCode.of(taps, k, pixels, lines)
                    .add(dy.address(), lines, copy.address(), row, planes.address(), plane, sums.address());
            for (long i = 0; i < planes.byteSize() / 4; i++) {
                int channel = (int) (4 * i / plane), line = (int) (4 * i % plane / (4L * vectors * LANES));
                int pixel = (int) (i % (vectors * LANES));
                float expected = channel == all ? OLD : 0;
                if (channel < k && pixel < pixels) {
                    expected = dy.getAtIndex(F, ((long) line * pixels + pixel) * k + channel);
                }
                same(expected, planes.getAtIndex(F, i), "plane", k, pixels, lines, tapGroups, i);
            }
            for (int i = 0; i < sums.byteSize() / 4; i++) {
                int tile = i / LANES / TILE, tap = tile / groups * ThinFilterCode.TAPS + i / LANES % TILE / 3;
                int channel = tile % groups * 3 + i / LANES % 3;
                float expected = OLD;
                if (tap < count) {
                    float sum = 0;
                    for (int at = i % LANES; at < lines * vectors * LANES; at += LANES) {
                        long x = at / (vectors * LANES) * row + 4L * (at % (vectors * LANES)) + taps[tap];
                        sum = Math.fma(copy.get(F, x), planes.getAtIndex(F, channel * plane / 4 + at), sum);
                    }
                    expected += sum;
                }
                same(expected, sums.getAtIndex(F, i), "sum", k, pixels, lines, tapGroups, i);
            }
        }
    }

    private static void same(
            float expected, float found, String what, int k, int pixels, int lines, int tapGroups, long at) {
        assertEquals(
                Float.floatToIntBits(expected),
                Float.floatToIntBits(found),
                () -> "k %d, %d x %d pixels, %d groups of taps: %s %d"
                        .formatted(k, lines, pixels, tapGroups, what, at));
    }

    private static void fill(MemorySegment memory) {
        for (long i = 0; i < memory.byteSize() / 4; i++) {
            memory.setAtIndex(F, i, OLD);
        }
    }

    @Test
    void gradientsAreThoseInJava() {
        SplittableRandom random = new SplittableRandom(8);
        RandomFloats floats = new RandomFloats(random, 100_000);
        Scratch scratch = new ThreadScratch();
        try (WorkerPool pool = new WorkerPool(2)) {
            for (int i = 0; i < 40; i++) {
                int n = 1 + random.nextInt(20), r = 1 + random.nextInt(5), s = 2 + random.nextInt(3);
                int few = 1 + random.nextInt(8);
                int strideH = 1 + random.nextInt(3), padding = random.nextInt(3);
                int dilationH = 1 + random.nextInt(3), dilationW = 1 + random.nextInt(3);
                int h = dilationH * (r - 1) + 1 + random.nextInt(i % 10 == 0 ? 200 : 20);
                int w = dilationW * (s - 1) + 8 + random.nextInt(40);
                Conv2dGeometry geometry = new Conv2dGeometry(strideH, 1, padding, padding, dilationH, dilationW, 1);
                int p = (int) geometry.resultH(h, r), q = (int) geometry.resultW(w, s);
                ConvShape shape = new ConvShape(n, h, w, 1, r, s, few, p, q, geometry);
                try (Tensor x = floats.tensor(Shape.of(n, h, w, 1));
                        Tensor dy = floats.tensor(Shape.of(n, p, q, few));
                        Tensor one = Tensor.allocate(DType.F32, Shape.of(r, s, 1, few));
                        Tensor other = Tensor.allocate(DType.F32, one.shape())) {
                    ThinFilterGradient inCode = ThinFilterGradient.of(shape);
                    assertNotNull(inCode.code, shape::toString);
                    boolean done = inCode.run(x, dy, one, scratch, pool);
                    assertEquals(
                            ThinFilterGradient.inJava(shape).run(x, dy, other, scratch, pool), done, shape::toString);
                    assertArrayEquals(other.toFloats(), one.toFloats(), shape::toString);
                }
            }
        }
    }
}
