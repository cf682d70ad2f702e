package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Depthwise convolutions in machine code, and gradients by their filter, have the bits of the kernels in Java. */
class DepthwiseCodeTest {
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT;
    /** Floats from pixel to pixel: three vectors of channels, of which the second is passed. */
    private static final int CHANNELS = 48;
    /** Rows of which a call does not take all. */
    private static final int HIGHEST = 1500;

    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(() -> DepthwiseCode.takes(1), "depthwise tiles");
    }

    @Test
    void equalsTheKernels() {
        SplittableRandom random = new SplittableRandom(9);
        for (int stride = 1; stride <= 2; stride++) {
            for (int pad = 0; pad <= 3 - stride; pad++) {
                for (int wide = 1; wide <= 12; wide++) {
                    for (int high : new int[] {1, 2, 5, 400, HIGHEST}) {
                        int columns = (wide + 2 * pad - 3) / stride + 1, rows = (high + 2 * pad - 3) / stride + 1;
                        if (wide + 2 * pad >= 3 && high + 2 * pad >= 3 && (high < HIGHEST || wide > 10)) {
                            check(random, stride, pad, high, wide, rows, columns);
                            checkForward(random, stride, pad, high, wide, rows, columns);
                        }
                    }
                }
            }
        }
    }

    private static void check(SplittableRandom random, int stride, int pad, int high, int wide, int rows, int columns) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = random(arena, high * wide * CHANNELS, random);
            MemorySegment dy = random(arena, rows * columns * CHANNELS, random);
            MemorySegment zeros = arena.allocate(4L * wide * CHANNELS, 64);
            DepthwiseSource source =
                    new DepthwiseSource(high, wide, pad, pad, 4L * CHANNELS, zeros.address(), zeros.address());
            int from = high == HIGHEST ? 0 : random.nextInt(rows);
            MemorySegment expected = random(arena, ConvDepthwise.TAPS * Lanes.FLOATS, random);
            MemorySegment found = arena.allocate(expected.byteSize(), 64).copyFrom(expected);
            long first = x.address() + Lanes.BYTES, signal = dy.address() + Lanes.BYTES;
            if (stride == 1) {
                DepthwiseGradient.gradient(source, first, signal, columns, from, rows, expected.address());
            } else {
                DepthwiseGradient.strided(source, first, signal, columns, from, rows, expected.address());
            }
            DepthwiseCode.Band band =
                    DepthwiseCode.Band.of(stride, source, x.address(), dy.address(), columns, from, rows);
            if (random.nextBoolean()) {
                band = band.askingFor(x.address(), dy.address());
            }
            band.gradient(source, Lanes.BYTES, found.address());
            assertEquals(
                    -1,
                    expected.mismatch(found),
                    () -> "stride %d, padding %d, image %dx%d, rows %d .. %d"
                            .formatted(stride, pad, high, wide, from, rows));
        }
    }

    private static void checkForward(
            SplittableRandom random, int stride, int pad, int high, int wide, int rows, int columns) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = random(arena, high * wide * CHANNELS, random);
            MemorySegment expected = random(arena, rows * columns * CHANNELS, random);
            MemorySegment found = arena.allocate(expected.byteSize(), 64).copyFrom(expected);
            MemorySegment filter = random(arena, ConvDepthwise.TAPS * Lanes.FLOATS, random);
            MemorySegment zeros = arena.allocate(4L * Math.max(wide, columns) * CHANNELS, 64);
            MemorySegment spare = arena.allocate(4L * (columns + 4) * CHANNELS, 64);
            long bias = random(arena, Lanes.FLOATS, random).address(), pixel = 4L * CHANNELS, line = columns * pixel;
            DepthwiseSource source = new DepthwiseSource(high, wide, pad, pad, pixel, zeros.address(), spare.address());
            int from = high == HIGHEST ? 0 : random.nextInt(rows),
                    floor = Float.floatToRawIntBits(from % 2 == 0 ? 0 : Float.NEGATIVE_INFINITY);
            long first = x.address() + Lanes.BYTES, y = expected.address() + Lanes.BYTES;
            if (stride == 1) {
                DepthwiseCorrelation.correlate(source, first, filter.address(), bias, floor, from, rows, y, line);
            } else {
                DepthwiseCorrelation.strided(source, first, filter.address(), bias, floor, from, rows, y, line);
            }
            DepthwiseCode.Band band =
                    DepthwiseCode.Band.of(stride, source, x.address(), found.address(), columns, from, rows);
            boolean asking = random.nextBoolean(), past = random.nextBoolean();
            if (asking) {
                band = band.askingFor(x.address(), x.address());
            }
            band.correlate(source, Lanes.BYTES, filter.address(), bias, floor, past);
            assertEquals(
                    -1,
                    expected.mismatch(found),
                    () -> "forward, stride %d, padding %d, image %dx%d, rows %d .. %d, asking %s, past %s"
                            .formatted(stride, pad, high, wide, from, rows, asking, past));
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
