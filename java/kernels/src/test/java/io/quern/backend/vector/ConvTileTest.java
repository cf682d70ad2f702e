package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.Rng;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Panels of all widths and heights, depthwise too, whose rows lie in order or not, by machine code where there is some and by the
 * kernels in Java, against one fused chain per element.
 */
class ConvTileTest {
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT;
    /** Floats from one row of A to the next: more than the taps reach, so that rows do not overlap. */
    private static final int PITCH = 29;

    private static final int DEPTH = 7, MOST = 35;
    private static final long[] TAPS = {0, 2 * Float.BYTES, 9 * Float.BYTES};
    private static final long[] FILTERS = {0, DEPTH, 3 * DEPTH};
    private static final float FLOOR = -0.25f;

    @BeforeEach
    void needsVectors() {
        Assumptions.assumeTrue(
                ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
                "the module jdk.incubator.vector is not loaded in this JVM");
    }

    @Test
    void rowsAreNearThatFollowTheFirstOfTheirTileBelowTwoGiB() {
        assertTrue(rows(1L << 20, 40).near());
        assertTrue(rows(0, 40).near(), "the same row again");
        assertTrue(rows(Lanes.NEAR / (ConvTile.MOST_ROWS - 1), 40).near());
        assertFalse(rows(Lanes.NEAR / (ConvTile.MOST_ROWS - 1) + 1, 40).near());
        assertTrue(rows(Lanes.NEAR, 2).near(), "a tile has no further rows");
        assertFalse(rows(Lanes.NEAR + 1, 2).near());
        assertFalse(rows(-4, 2).near());
        assertTrue(ConvRows.allocate(0).pad().near());
    }

    @Test
    void rowsInOrder() {
        check(false);
    }

    /** What a tile of offsets below 2 GiB cannot read. */
    @Test
    void rowsInReverse() {
        check(true);
    }

    private static void check(boolean reverse) {
        for (int count = 1; count <= MOST; count++) {
            for (int wide = 1; wide <= 2 * Lanes.FLOATS; wide += wide < Lanes.FLOATS ? 3 : 5) {
                check(count, wide, reverse, false, false);
                check(count, wide, reverse, true, false);
            }
            for (boolean add : new boolean[] {false, true}) {
                check(count, Lanes.FLOATS, reverse, add, false);
                check(count, Lanes.FLOATS - 1, reverse, add, true);
                check(count, Lanes.FLOATS, reverse, add, true);
                check(count, ConvTile.COLUMNS, reverse, add, false);
            }
            if (ConvTile.LARGE) {
                check(count, ConvTile.WIDE_COLUMNS, reverse, false, false);
            }
        }
    }

    private static void check(int count, int wide, boolean reverse, boolean add, boolean depthwise) {
        ConvTile.Walk walk = walk(count, 4L * pitch(wide), reverse);
        check(walk, wide, reverse, add, depthwise);
        if (walk.code() != null) {
            check(inJava(walk), wide, reverse, add, depthwise);
        }
    }

    private static ConvTile.Walk inJava(ConvTile.Walk walk) {
        return new ConvTile.Walk(walk.taps(), walk.filters(), walk.kc(), walk.cs(), walk.rows(), null);
    }

    private static int pitch(int wide) {
        return wide > ConvTile.COLUMNS ? ConvTile.WIDE_COLUMNS : wide > Lanes.FLOATS ? ConvTile.COLUMNS : Lanes.FLOATS;
    }

    private static ConvTile.Walk walk(int count, long result, boolean reverse) {
        ConvRows rows = ConvRows.allocate(count);
        for (int i = 0; i < count; i++) {
            rows.set(i, 4L * PITCH * (reverse ? count - 1 - i : i), result * i);
        }
        return new ConvTile.Walk(TAPS, FILTERS, DEPTH, Float.BYTES, rows.pad());
    }

    private static void check(ConvTile.Walk walk, int wide, boolean reverse, boolean add, boolean depthwise) {
        int pitch = pitch(wide), count = walk.rows().count();
        Rng rng = Rng.of(1000L * count + 10 * wide + (reverse ? 1 : 0) + (add ? 2 : 0));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment a = floats(arena, rng.stream(1), MOST * PITCH + Lanes.FLOATS),
                    b = floats(arena, rng.stream(2), 4 * DEPTH * pitch);
            MemorySegment c = floats(arena, rng.stream(3), MOST * pitch), bias = floats(arena, rng.stream(4), pitch);
            MemorySegment before = arena.allocate(c.byteSize()).copyFrom(c);
            int floor = add ? ConvTile.UNBOUNDED : Float.floatToRawIntBits(FLOOR);
            long tile = arena.allocate(ConvTile.SCRATCH, 64).address();
            long from = a.address(), filter = b.address(), to = c.address(), biases = bias.address(), step = 4L * pitch;
            ConvTile.Stream[] asked = {ConvTile.Stream.NONE, new ConvTile.Stream(from, a.byteSize())};
            ConvTile.askAhead(tile, walk.steps(wide), asked[count % 2], asked[wide % 2]);
            if (depthwise) {
                ConvTile.depthwise(walk, from, filter, step, to, wide, biases, floor, add, tile);
            } else {
                ConvTile.panel(walk, from, filter, step, to, wide, biases, floor, add, tile);
            }
            for (int i = 0; i < MOST; i++) {
                int row = reverse ? count - 1 - i : i;
                for (int j = 0; j < pitch; j++) {
                    float old = before.getAtIndex(F, (long) i * pitch + j);
                    float expected = i >= count || j >= wide
                            ? old
                            : add
                                    ? old + sum(a, row * PITCH + (depthwise ? j : 0), b, pitch, j)
                                    : Math.max(
                                            FLOOR,
                                            bias.getAtIndex(F, j)
                                                    + sum(a, row * PITCH + (depthwise ? j : 0), b, pitch, j));
                    assertEquals(
                            Float.floatToRawIntBits(expected),
                            Float.floatToRawIntBits(c.getAtIndex(F, (long) i * pitch + j)),
                            () -> "%d rows of %d, machine code %s, reverse %s, add %s, depthwise %s"
                                    .formatted(count, wide, walk.code() != null, reverse, add, depthwise));
                }
            }
        }
    }

    /** What a comparison must not change: NaN, and zeros of either sign, which are not below a floor of 0. */
    @Test
    void machineCodeKeepsNanAndZeros() {
        int count = 9, wide = Lanes.FLOATS;
        ConvTile.Walk walk = walk(count, Lanes.BYTES, false);
        Assumptions.assumeTrue(
                walk.code() != null, "tiles in machine code need Linux on x86-64 with AVX-512, and 512-bit vectors");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment a = arena.allocate(4L * (MOST * PITCH + Lanes.FLOATS), 64);
            MemorySegment b = arena.allocate(4L * 4 * DEPTH * wide, 64), bias = arena.allocate(Lanes.BYTES, 64);
            // products too small for a float keep their sign alone
            a.asSlice(0, 4L * MOST * PITCH).elements(F).forEach(x -> x.set(F, 0, Float.MIN_VALUE));
            float[] values = {-0f, 0f, Float.NaN, -1, 1, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY};
            for (int i = 0; i < wide; i++) {
                bias.setAtIndex(F, i, values[i % values.length]);
                for (int k = 0; k < 4 * DEPTH; k++) {
                    b.setAtIndex(F, (long) k * wide + i, i % 5 == 4 ? Float.NaN : -Float.MIN_VALUE);
                }
            }
            long scratch = arena.allocate(ConvTile.SCRATCH, 64).address();
            for (float floor : new float[] {0, Float.NEGATIVE_INFINITY}) {
                MemorySegment found = arena.allocate((long) count * Lanes.BYTES, 64);
                MemorySegment expected = arena.allocate(found.byteSize(), 64);
                for (boolean code : new boolean[] {false, true}) {
                    ConvTile.askNothing(scratch);
                    ConvTile.panel(
                            code ? walk : inJava(walk),
                            a.address(),
                            b.address(),
                            Lanes.BYTES,
                            (code ? found : expected).address(),
                            wide,
                            bias.address(),
                            Float.floatToRawIntBits(floor),
                            false,
                            scratch);
                }
                assertEquals(-1, expected.mismatch(found), "floor " + floor);
                assertEquals(Float.floatToRawIntBits(-0f), Float.floatToRawIntBits(found.getAtIndex(F, 0)), "-0 + -0");
            }
        }
    }

    private static float sum(MemorySegment a, int first, MemorySegment b, int pitch, int column) {
        float sum = 0;
        for (int t = 0; t < TAPS.length; t++) {
            for (int d = 0; d < DEPTH; d++) {
                float x = a.getAtIndex(F, first + TAPS[t] / Float.BYTES + d);
                sum = Math.fma(x, b.getAtIndex(F, (FILTERS[t] + d) * pitch + column), sum);
            }
        }
        return sum;
    }

    private static MemorySegment floats(Arena arena, Rng rng, int count) {
        MemorySegment floats = arena.allocate(4L * count, 64);
        for (int i = 0; i < count; i++) {
            floats.setAtIndex(F, i, rng.uniform(i) - 0.5f);
        }
        return floats;
    }

    private static ConvRows rows(long bytes, int count) {
        ConvRows rows = ConvRows.allocate(count);
        for (int i = 0; i < count; i++) {
            rows.set(i, i * bytes, 0);
        }
        return rows.pad();
    }
}
