package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.op.DropoutMask;
import io.quern.tensor.Rng;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Dropout in machine code, and its loop in Java, drop what the draws of {@link Rng} say, and write nothing beside a run. */
class DropoutCodeTest {
    private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT;
    private static final float OLD = 7;
    private static final int BEHIND = 16;

    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(() -> DropoutCode.covers(0, 1), "dropout and its draws");
    }

    @Test
    void dropsWhatTheDrawsSay() {
        SplittableRandom random = new SplittableRandom(5);
        for (int count : new int[] {1, 8, 15, 16, 48, 63, 64, 65, 127, 128, 129, 191, 192, 193, 400, 13000}) {
            for (int i = 0; i < 6; i++) {
                long first = i < 3 ? 8L * random.nextInt(1 << 20) : 8L * random.nextLong(1L << 40);
                if (DropoutCode.covers(first, count)) {
                    Rng rng = Rng.of(random.nextLong()).stream(random.nextInt()).step(random.nextInt());
                    check(rng, i % 2 == 0 ? 0.5 : 0.1, first, count, i % 3);
                }
            }
        }
    }

    /** @param way 0 in place, 1 elsewhere, 2 past the caches */
    private static void check(Rng rng, double probability, long first, int count, int way) {
        DropoutMask mask = new DropoutMask(probability, rng);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = arena.allocate(4L * (count + BEHIND), 64),
                    y = way == 0 ? x : arena.allocate(x.byteSize(), 64);
            y.fill((byte) 1);
            for (int i = 0; i < count; i++) {
                x.setAtIndex(F, i, i % 5 == 0 ? -0f : i % 7 == 0 ? Float.NaN : i - 3f);
            }
            for (int i = count; i < count + BEHIND; i++) {
                y.setAtIndex(F, i, OLD);
            }
            float[] before = x.toArray(F);
            long argument = arena.allocate(DropoutCode.ARGUMENT, 64).address();
            DropoutCode.run(mask, first, x.address(), y.address(), count, way == 2, argument);
            int pairs = count - count % PhiloxVector.PAIR;
            MemorySegment inJava = arena.allocate(x.byteSize(), 64);
            if (pairs > 0) {
                MemorySegment old = arena.allocateFrom(F, before);
                PhiloxVector.drop(
                        rng, first, pairs, old.address(), inJava.address(), (short) mask.threshold(), mask.scale());
            }
            for (int i = 0; i < pairs; i++) {
                assertEquals(
                        Float.floatToIntBits(inJava.getAtIndex(F, i)),
                        Float.floatToIntBits(y.getAtIndex(F, i)),
                        "in Java");
            }
            for (int i = 0; i < count + BEHIND; i++) {
                float expected = i >= count ? OLD : mask.drops(first + i) ? 0f : before[i] * mask.scale();
                int element = i;
                assertEquals(
                        Float.floatToIntBits(expected),
                        Float.floatToIntBits(y.getAtIndex(F, i)),
                        () -> "%s, first %d, count %d, way %d: element %d".formatted(rng, first, count, way, element));
            }
        }
    }

    @Test
    void coversWhatHasOneUpperWordOfItsCounter() {
        assertFalse(DropoutCode.covers(4, 64), "begins within a block");
        long end = 8L << 32;
        assertTrue(DropoutCode.covers(end - 128, 120));
        assertFalse(DropoutCode.covers(end - 128, 192));
        assertTrue(DropoutCode.covers(end, 192));
    }
}
