package io.quern.backend.vector;

import static io.quern.backend.vector.WinogradTransforms.POINTS;
import static io.quern.backend.vector.WinogradTransforms.SIDE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.op.Winograd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The transforms in machine code: the bits of {@link WinogradTransforms} and {@link WinogradFive}, and nothing else written. */
class WinogradCodeTest {
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT;
    private static final float UNTOUCHED = 77;
    /** Floats beside every area. */
    private static final int GUARD = 32;

    private final SplittableRandom random = new SplittableRandom(11);

    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(WinogradCode::takes, "Winograd's transforms");
    }

    /** Memory that holds floats, and a guard before and behind them. */
    private record Area(MemorySegment memory) {
        static Area of(Arena arena, int floats, float value) {
            MemorySegment memory = arena.allocate(4L * (floats + 2 * GUARD), 64);
            for (int i = 0; i < floats + 2 * GUARD; i++) {
                memory.setAtIndex(F, i, value);
            }
            return new Area(memory);
        }

        /** At any address that floats may have. */
        static Area of(Arena arena, int floats, SplittableRandom random, boolean wild) {
            Area area = of(arena, floats, Float.NaN);
            for (int i = 0; i < floats; i++) {
                area.memory.setAtIndex(F, GUARD + i, wild ? wild(random) : (float) random.nextDouble(-1, 1));
            }
            return area;
        }

        /** Of either sign, rarely positive. */
        static Area zeros(Arena arena, int floats, SplittableRandom random) {
            Area area = of(arena, floats, -0f);
            for (int i = 0; i < floats; i++) {
                if (random.nextInt(40) == 0) {
                    area.memory.setAtIndex(F, GUARD + i, 0);
                }
            }
            return area;
        }

        /** Rarely more than one that is not finite in a tile. */
        private static float wild(SplittableRandom random) {
            return switch (random.nextInt(200)) {
                case 0 -> Float.NaN;
                case 1 -> Float.NEGATIVE_INFINITY;
                case 2 -> 3e38f;
                case 3, 4, 5 -> -0f;
                case 6, 7, 8 -> 0;
                case 9, 10, 11 -> Float.MIN_VALUE * random.nextInt(-9, 9);
                case 12, 13 -> Float.MIN_NORMAL;
                default -> (float) random.nextDouble(-1, 1);
            };
        }

        long address() {
            return memory.address() + 4L * GUARD;
        }
    }

    /** Bits, but for those of a NaN. */
    private static void same(Area expected, Area found, String what) {
        for (long i = 0; i < expected.memory.byteSize() / 4; i++) {
            float a = expected.memory.getAtIndex(F, i), b = found.memory.getAtIndex(F, i);
            if (!Float.isNaN(a) || !Float.isNaN(b)) {
                long at = i - GUARD;
                assertEquals(Float.floatToRawIntBits(a), Float.floatToRawIntBits(b), () -> what + ", float " + at);
            }
        }
    }

    @Test
    void sources() {
        for (int taps : new int[] {3, 5}) {
            for (int tiles : new int[] {1, 2, 3, WinogradSource.RUN}) {
                for (int vectors : new int[] {1, 3, 18}) {
                    for (int turn = 0; turn < 6; turn++) {
                        int tile = Winograd.tile(taps), columns = tiles * tile + SIDE - tile;
                        int left = random.nextInt(turn == 0 ? 1 : Math.min(5, columns));
                        int live = turn == 0 ? columns : random.nextInt(columns - left + 1);
                        source(taps, tiles, vectors, left, live, turn > 2);
                    }
                }
            }
        }
    }

    private void source(int taps, int tiles, int vectors, int left, int live, boolean wild) {
        int tile = Winograd.tile(taps), columns = tiles * tile + SIDE - tile, depth = vectors * Lanes.FLOATS;
        long pixel = 4L * depth, point = tiles * pixel + 64, line = (long) columns * Lanes.BYTES;
        try (Arena arena = Arena.ofConfined()) {
            Area image = Area.of(arena, SIDE * live * depth + 1, random, wild);
            Area expected = Area.of(arena, (int) (POINTS * point / 4), UNTOUCHED);
            Area found = Area.of(arena, (int) (POINTS * point / 4), UNTOUCHED);
            Area buffer = Area.of(arena, SIDE * columns * Lanes.FLOATS, 0);
            long[] rows = new long[SIDE];
            for (int i = 0; i < SIDE; i++) {
                rows[i] = image.address() + 4 + (i * live - left) * pixel;
            }
            for (long d = 0; d < pixel; d += Lanes.BYTES) {
                long first = d + left * pixel;
                WinogradTransforms.sourceColumns(
                        rows[0] + first,
                        rows[1] + first,
                        rows[2] + first,
                        rows[3] + first,
                        rows[4] + first,
                        rows[5] + first,
                        pixel,
                        live,
                        buffer.address() + (long) left * Lanes.BYTES,
                        line);
                WinogradTransforms.sourceRows(
                        buffer.address(), line, tile, tiles, expected.address() + d, pixel, point);
            }
            WinogradCode.source(taps, rows, pixel, tiles, left, live, found.address(), point);
            same(
                    expected,
                    found,
                    "source, %d taps, %d tiles, %d vectors, columns %d + %d"
                            .formatted(taps, tiles, vectors, left, live));
        }
    }

    @Test
    void filters() {
        for (int taps : new int[] {3, 5}) {
            for (int rows : new int[] {1, 2, 70}) {
                for (int vectors : new int[] {1, 3, 4}) {
                    filter(taps, rows, vectors, false);
                    filter(taps, rows, vectors, true);
                }
            }
        }
    }

    private void filter(int taps, int rows, int vectors, boolean wild) {
        long pitch = (long) vectors * Lanes.BYTES, row = pitch + 4, tap = rows * row, point = rows * pitch + 128;
        try (Arena arena = Arena.ofConfined()) {
            Area filter = Area.of(arena, (int) (taps * taps * tap / 4), random, wild);
            Area expected = Area.of(arena, (int) (POINTS * point / 4), UNTOUCHED);
            Area found = Area.of(arena, (int) (POINTS * point / 4), UNTOUCHED);
            long buffer = arena.allocate(64 * Lanes.BYTES, 64).address();
            for (int v = 0; v < vectors; v++) {
                long from = filter.address() + (long) v * Lanes.BYTES;
                long to = expected.address() + (long) v * Lanes.BYTES;
                if (taps == 3) {
                    WinogradTransforms.filter(from, tap, row, rows, buffer, to, pitch, point);
                } else {
                    WinogradFive.filter(from, tap, row, rows, buffer, to, pitch, point);
                }
            }
            WinogradCode.filter(taps, filter.address(), tap, row, rows, vectors, found.address(), pitch, point);
            same(expected, found, "filter, %d taps, %d rows, %d vectors".formatted(taps, rows, vectors));
        }
    }

    @Test
    void results() {
        for (int taps : new int[] {3, 5}) {
            int tile = Winograd.tile(taps);
            for (int high = 1; high <= tile; high++) {
                for (int wide : new int[] {1, 2, 3, 4, 5, 11, 12, 150}) {
                    for (int vectors : new int[] {1, 4, 130}) {
                        if (wide * vectors < 1000) {
                            boolean wild = random.nextBoolean();
                            int floor = random.nextBoolean() ? 0 : ConvTile.UNBOUNDED;
                            result(taps, wide, high, vectors, floor, (a, floats) -> Area.of(a, floats, random, wild));
                        }
                    }
                }
            }
        }
    }

    /** A sum of -0 is not below the floor, so that it stays. */
    @Test
    void zeroAtTheFloorKeepsItsSign() {
        for (int taps : new int[] {3, 5}) {
            float first = result(taps, 11, Winograd.tile(taps), 3, 0, (arena, floats) -> Area.of(arena, floats, -0f));
            assertEquals(-0f, first, "all of -0, " + taps + " taps");
            for (int turn = 0; turn < 20; turn++) {
                result(taps, 11, Winograd.tile(taps), 3, 0, (arena, floats) -> Area.zeros(arena, floats, random));
            }
        }
    }

    /** What products and bias hold. */
    private interface Operand {
        Area of(Arena arena, int floats);
    }

    /** Returns the first of the results. */
    private float result(int taps, int wide, int high, int vectors, int floor, Operand operand) {
        int tile = Winograd.tile(taps), tiles = Math.ceilDiv(wide, tile);
        long pitch = (long) vectors * Lanes.BYTES, point = tiles * pitch + 64, pixel = pitch + 64;
        long row = tiles * tile * pixel + 4, whole = (long) tile * vectors * Lanes.BYTES;
        try (Arena arena = Arena.ofConfined()) {
            Area products = operand.of(arena, (int) (POINTS * point / 4));
            Area bias = operand.of(arena, vectors * Lanes.FLOATS);
            Area expected = Area.of(arena, (int) (high * row / 4), UNTOUCHED);
            Area found = Area.of(arena, (int) (high * row / 4), UNTOUCHED);
            Area seen = Area.of(arena, Lanes.FLOATS, 0), also = Area.of(arena, Lanes.FLOATS, 0);
            long buffer = arena.allocate(24L * vectors * Lanes.BYTES, 64).address();
            MemorySegment edge = arena.allocate(tile * whole, 64);
            for (int t = 0; t < tiles; t++) {
                long from = products.address() + t * pitch, to = edge.address();
                if (taps == 3) {
                    WinogradTransforms.resultColumns(from, point, vectors, buffer);
                    WinogradTransforms.resultRows(
                            buffer, vectors, bias.address(), floor, to, pitch, whole, seen.address());
                } else {
                    WinogradFive.resultColumns(from, point, vectors, buffer);
                    WinogradFive.resultRows(buffer, vectors, bias.address(), floor, to, pitch, whole, seen.address());
                }
                for (int r = 0; r < high; r++) {
                    for (int c = 0; c < Math.min(tile, wide - t * tile); c++) {
                        long target = 4L * GUARD + r * row + (t * tile + c) * pixel;
                        MemorySegment.copy(edge, r * whole + c * pitch, expected.memory, target, pitch);
                    }
                }
            }
            WinogradCode.results(
                    taps,
                    products.address(),
                    pitch,
                    point,
                    vectors,
                    bias.address(),
                    floor,
                    found.address(),
                    pixel,
                    row,
                    wide,
                    high,
                    also.address());
            String what = "results, %d taps, %d x %d, %d vectors".formatted(taps, wide, high, vectors);
            same(expected, found, what);
            same(seen, also, what + ", what was seen");
            return found.memory.getAtIndex(F, GUARD);
        }
    }

    @Test
    void signals() {
        for (int taps : new int[] {3, 5}) {
            int tile = Winograd.tile(taps);
            for (int high = 1; high <= tile; high++) {
                for (int wide : new int[] {1, 2, 3, 4, 5, 11, 12, 150}) {
                    for (int vectors : new int[] {1, 4, 130}) {
                        if (wide * vectors < 1000) {
                            signal(taps, wide, high, vectors, random.nextBoolean());
                        }
                    }
                }
            }
        }
    }

    private void signal(int taps, int wide, int high, int vectors, boolean wild) {
        int tile = Winograd.tile(taps), tiles = Math.ceilDiv(wide, tile);
        long pitch = (long) vectors * Lanes.BYTES + 64, point = tiles * pitch + 64, pixel = pitch + 64;
        long row = wide * pixel + 4, some = (long) vectors * Lanes.BYTES;
        try (Arena arena = Arena.ofConfined()) {
            Area signal = Area.of(arena, (int) (high * row / 4), random, wild);
            Area expected = Area.of(arena, (int) (POINTS * point / 4), UNTOUCHED);
            Area found = Area.of(arena, (int) (POINTS * point / 4), UNTOUCHED);
            long buffer = arena.allocate(24L * vectors * Lanes.BYTES, 64).address();
            MemorySegment edge = arena.allocate(tile * tile * some, 64);
            for (int t = 0; t < tiles; t++) {
                edge.fill((byte) 0);
                for (int r = 0; r < high; r++) {
                    for (int c = 0; c < Math.min(tile, wide - t * tile); c++) {
                        long from = 4L * GUARD + r * row + (t * tile + c) * pixel;
                        MemorySegment.copy(signal.memory, from, edge, (r * tile + c) * some, some);
                    }
                }
                long to = expected.address() + t * pitch;
                if (taps == 3) {
                    WinogradTransforms.signalColumns(edge.address(), tile * some, some, vectors, buffer);
                    WinogradTransforms.signalRows(buffer, vectors, to, point);
                } else {
                    WinogradFive.signalColumns(edge.address(), tile * some, some, vectors, buffer);
                    WinogradFive.signalRows(buffer, vectors, to, point);
                }
            }
            WinogradCode.signals(
                    taps, signal.address(), pixel, row, wide, high, vectors, found.address(), pitch, point);
            same(expected, found, "signals, %d taps, %d x %d, %d vectors".formatted(taps, wide, high, vectors));
        }
    }

    @Test
    void gradients() {
        for (int taps : new int[] {3, 5}) {
            for (int count : new int[] {1, 2, 70}) {
                for (int vectors : new int[] {1, 3, 130}) {
                    if (count * vectors < 1000) {
                        gradient(taps, count, vectors, false);
                        gradient(taps, count, vectors, true);
                    }
                }
            }
        }
    }

    private void gradient(int taps, int count, int vectors, boolean wild) {
        long pitch = (long) vectors * Lanes.BYTES, row = pitch + 4, tap = count * row, point = count * pitch + 64;
        try (Arena arena = Arena.ofConfined()) {
            Area products = Area.of(arena, (int) (POINTS * point / 4), random, wild);
            Area expected = Area.of(arena, (int) (taps * taps * tap / 4), UNTOUCHED);
            Area found = Area.of(arena, (int) (taps * taps * tap / 4), UNTOUCHED);
            Area seen = Area.of(arena, Lanes.FLOATS, 0), also = Area.of(arena, Lanes.FLOATS, 0);
            long buffer = arena.allocate(36L * Lanes.BYTES, 64).address();
            for (int c = 0; c < count; c++) {
                long from = products.address() + c * pitch, to = expected.address() + c * row;
                if (taps == 3) {
                    WinogradTransforms.gradient(from, point, vectors, buffer, to, tap, seen.address());
                } else {
                    WinogradFive.gradient(from, point, vectors, buffer, to, tap, seen.address());
                }
            }
            WinogradCode.gradient(
                    taps, products.address(), pitch, point, count, vectors, found.address(), row, tap, also.address());
            String what = "gradient, %d taps, %d elements, %d vectors".formatted(taps, count, vectors);
            same(expected, found, what);
            same(seen, also, what + ", what was seen");
        }
    }
}
