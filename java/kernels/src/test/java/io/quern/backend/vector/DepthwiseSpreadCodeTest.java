package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The gradient of a depthwise convolution of stride 2 by the image in machine code: the chains of {@link DepthwiseSpread}, and nothing else written. */
class DepthwiseSpreadCodeTest {
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT;
    /** Floats from pixel to pixel: three vectors of channels, of which the second is passed. */
    private static final int CHANNELS = 48;

    private static final float UNTOUCHED = 77;

    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(() -> DepthwiseSpreadCode.takes(1, 1), "depthwise tiles");
    }

    @Test
    void equalsTheChains() {
        SplittableRandom random = new SplittableRandom(5);
        for (int padH = 0; padH <= 2; padH++) {
            for (int padW = 0; padW <= 1; padW++) {
                for (int wide = 1; wide <= 12; wide++) {
                    for (int high : new int[] {1, 2, 3, 6, 300, 900}) {
                        if (wide + 2 * padW >= 3 && high + 2 * padH >= 3) {
                            new Case(padH, padW, high, wide, random.nextBoolean()).check(random);
                        }
                    }
                }
            }
        }
    }

    private record Case(int padH, int padW, int high, int wide, boolean past) {
        void check(SplittableRandom random) {
            int rows = (high + 2 * padH - 3) / 2 + 1, columns = (wide + 2 * padW - 3) / 2 + 1;
            // the first block of an axis, and how many cover it: their first pixel meets the middle tap
            int low = Math.floorDiv(padH - 1, 2), left = Math.floorDiv(padW - 1, 2);
            int top = 1 - padH + 2 * low, pairs = (high - top + 1) / 2, blocks = (wide - (1 - padW + 2 * left) + 1) / 2;
            // all of the highest: more than a call takes
            int from = high > 300 ? 0 : random.nextInt(pairs),
                    to = high > 300 ? pairs : from + 1 + random.nextInt(pairs - from);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment dy = random(arena, rows * columns * CHANNELS, random);
                MemorySegment filter = random(arena, ConvDepthwise.TAPS * Lanes.FLOATS, random);
                MemorySegment around = arena.allocate(4L * (high + 2) * wide * CHANNELS, 64);
                MemorySegment found = around.asSlice(4L * wide * CHANNELS, 4L * high * wide * CHANNELS);
                MemorySegment zeros = arena.allocate(4L * columns * CHANNELS, 64);
                MemorySegment spare = arena.allocate(4L * wide * CHANNELS, 64);
                for (int i = 0; i < (high + 2) * wide * CHANNELS; i++) {
                    around.setAtIndex(F, i, UNTOUCHED);
                }
                DepthwiseSource source = new DepthwiseSource(
                        rows, columns, -low, -left, 4L * CHANNELS, zeros.address(), spare.address());
                DepthwiseSpreadCode.Band.of(
                                source, dy.address(), found.address(), high, wide, blocks, from, to, top, past)
                        .run(Lanes.BYTES, filter.address());
                assertEquals(-1, zeros.mismatch(arena.allocate(zeros.byteSize())), () -> this + ", zeros");
                for (int y = -1; y <= high; y++) {
                    for (int x = 0; x < wide; x++) {
                        for (int c = 0; c < CHANNELS; c++) {
                            int lane = c - Lanes.FLOATS, row = y, column = x, channel = c;
                            boolean written = lane >= 0
                                    && lane < Lanes.FLOATS
                                    && y >= Math.max(0, top + 2 * from)
                                    && y < Math.min(high, top + 2 * to);
                            float expected = written ? chain(dy, rows, columns, filter, y, x, lane) : UNTOUCHED;
                            assertEquals(
                                    Float.floatToRawIntBits(expected),
                                    Float.floatToRawIntBits(around.getAtIndex(F, ((y + 1L) * wide + x) * CHANNELS + c)),
                                    () -> "%s, pairs %d .. %d, pixel (%d, %d), channel %d"
                                            .formatted(this, from, to, row, column, channel));
                        }
                    }
                }
            }
        }

        /** The sum of the taps that a pixel meets, in the order of {@link DepthwiseSpread}. */
        private float chain(MemorySegment dy, int rows, int columns, MemorySegment filter, int y, int x, int lane) {
            boolean lower = (y + padH - 1) % 2 != 0, right = (x + padW - 1) % 2 != 0;
            int p = Math.floorDiv(y + padH - 1, 2), q = Math.floorDiv(x + padW - 1, 2);
            float a = at(dy, rows, columns, p, q, lane), b = at(dy, rows, columns, p, q + 1, lane);
            float c = at(dy, rows, columns, p + 1, q, lane), d = at(dy, rows, columns, p + 1, q + 1, lane);
            if (!lower && !right) {
                return a * tap(filter, 4, lane);
            }
            if (!lower) {
                return Math.fma(b, tap(filter, 3, lane), a * tap(filter, 5, lane));
            }
            if (!right) {
                return Math.fma(c, tap(filter, 1, lane), a * tap(filter, 7, lane));
            }
            float sum = Math.fma(b, tap(filter, 6, lane), a * tap(filter, 8, lane));
            return Math.fma(d, tap(filter, 0, lane), Math.fma(c, tap(filter, 2, lane), sum));
        }

        private static float tap(MemorySegment filter, int tap, int lane) {
            return filter.getAtIndex(F, (long) tap * Lanes.FLOATS + lane);
        }

        private static float at(MemorySegment dy, int rows, int columns, int p, int q, int lane) {
            boolean inside = p >= 0 && p < rows && q >= 0 && q < columns;
            return inside ? dy.getAtIndex(F, ((long) p * columns + q) * CHANNELS + Lanes.FLOATS + lane) : 0;
        }
    }

    private static MemorySegment random(Arena arena, int floats, SplittableRandom random) {
        MemorySegment memory = arena.allocate(4L * floats, 64);
        for (int i = 0; i < floats; i++) {
            memory.setAtIndex(F, i, i % 11 == 0 ? -0f : (float) random.nextDouble(-1, 1));
        }
        return memory;
    }
}
