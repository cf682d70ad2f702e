package io.quern.tensor;

import static io.quern.tensor.ShapeTest.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TensorTest {
    @ParameterizedTest
    @EnumSource(DType.class)
    void startsZeroedOnACacheLine(DType dtype) {
        try (Tensor tensor = Tensor.allocate(dtype, Shape.of(5, 7))) {
            assertEquals(0, tensor.address() % Memory.ALIGNMENT);
            assertArrayEquals(new float[35], tensor.toFloats());
        }
    }

    @Test
    void holdsValuesInRowMajorOrder() {
        try (Tensor tensor = Tensor.of(Shape.of(2, 3), 0, 1, 2, 3, 4, 5)) {
            assertEquals(3, tensor.get(3));
            tensor.set(4, -1);
            assertArrayEquals(new float[] {0, 1, 2, 3, -1, 5}, tensor.toFloats());
            assertEquals("F32[2x3]", tensor.toString());
            assertRefused("element 6 is outside F32[2x3]", () -> tensor.get(6));
            assertRefused("element -1 is outside F32[2x3]", () -> tensor.set(-1, 0));
        }
    }

    @Test
    void sharesMemoryWithItsViews() {
        try (Tensor tensor = counting(3, 4)) {
            Tensor middle = tensor.slice(0, 1, 3).slice(1, 1, 3);
            assertArrayEquals(new float[] {5, 6, 9, 10}, middle.toFloats());
            assertEquals(4, middle.stride(0));
            assertEquals(tensor.address() + 5 * 4, middle.address());
            assertEquals("F32[2x2] strides [4, 1]", middle.toString());
            middle.set(2, -9);
            assertEquals(-9, tensor.get(9));
            middle.fill(7);
            assertArrayEquals(new float[] {0, 1, 2, 3, 4, 7, 7, 7, 8, 7, 7, 11}, tensor.toFloats());
        }
    }

    @Test
    void permutesAxesWithoutMoving() {
        try (Tensor tensor = counting(2, 3, 2)) {
            Tensor permuted = tensor.permute(2, 0, -2);
            assertEquals(Shape.of(2, 2, 3), permuted.shape());
            assertArrayEquals(new float[] {0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11}, permuted.toFloats());
            assertArrayEquals(tensor.toFloats(), permuted.permute(1, 2, 0).toFloats());
            assertRefused("[0, 1, 1] is not a permutation", () -> tensor.permute(0, 1, 1));
            assertRefused("[0, 1, -2] is not a permutation", () -> tensor.permute(0, 1, -2));
            assertRefused("[1, 0] is not a permutation", () -> tensor.permute(1, 0));
        }
    }

    @Test
    void knowsWhetherItIsContiguous() {
        try (Tensor tensor = counting(2, 3, 4)) {
            assertTrue(tensor.isContiguous());
            assertTrue(tensor.slice(0, 1, 2).isContiguous());
            assertFalse(tensor.slice(1, 0, 2).isContiguous());
            assertTrue(tensor.slice(0, 0, 1).slice(1, 0, 2).isContiguous(), "an axis of 1 has no gaps");
            assertFalse(tensor.permute(1, 0, 2).isContiguous());
            assertTrue(tensor.slice(1, 1, 1).isContiguous(), "nothing has no gaps");
        }
    }

    @Test
    void reshapesOnlyWhatIsContiguous() {
        try (Tensor tensor = counting(2, 6)) {
            Tensor view = tensor.reshape(3, 4);
            assertEquals(6, view.slice(0, 1, 2).get(2));
            assertEquals(tensor.address(), view.address());
            assertRefused("cannot view F32[2x6] as 5: other number of elements", () -> tensor.reshape(5));
            assertRefused(
                    "strides [6, 1] as 4: it is not contiguous",
                    () -> tensor.slice(1, 0, 2).reshape(4));
        }
    }

    @Test
    void refusesSlicesOutsideItself() {
        try (Tensor tensor = counting(3)) {
            assertRefused("slice 1..4 is outside axis 0 of F32[3]", () -> tensor.slice(0, 1, 4));
            assertRefused("slice 2..1 is outside axis 0", () -> tensor.slice(0, 2, 1));
            assertRefused("slice -1..1 is outside axis 0", () -> tensor.slice(0, -1, 1));
            assertEquals(0, tensor.slice(0, 3, 3).elements());
        }
    }

    @Test
    void findsOverlap() {
        try (Tensor tensor = counting(4, 4);
                Tensor other = counting(4, 4)) {
            Tensor top = tensor.slice(0, 0, 2);
            Tensor bottom = tensor.slice(0, 2, 4);
            assertFalse(top.overlaps(bottom));
            assertTrue(top.overlaps(tensor.slice(0, 1, 3)));
            assertFalse(top.overlaps(other));
            assertFalse(tensor.slice(0, 1, 1).overlaps(tensor), "nothing overlaps nothing");
            assertTrue(tensor.permute(1, 0).overlaps(tensor.slice(0, 3, 4).slice(1, 3, 4)), "the last element");
            assertTrue(tensor.slice(1, 0, 2).overlaps(tensor.slice(1, 2, 4)), "interleaved counts");
        }
    }

    @Test
    void tellsTheSameWindowFromOthers() {
        try (Tensor tensor = counting(4, 4)) {
            assertTrue(tensor.sameWindow(tensor.slice(0, 0, 4)));
            assertFalse(tensor.sameWindow(tensor.permute(1, 0)));
            assertFalse(tensor.sameWindow(tensor.reshape(16)));
            assertFalse(tensor.slice(0, 0, 2).sameWindow(tensor.slice(0, 1, 3)));
        }
    }

    @Test
    void canBeUsedUntilClosed() {
        Tensor tensor = counting(2);
        Tensor view = tensor.slice(0, 1, 2);
        view.close();
        assertEquals(1, tensor.get(1), "a view owns nothing");
        tensor.close();
        tensor.close();
        assertFalse(view.isOpen());
        assertThrows(ClosedException.class, tensor::address);
        assertThrows(ClosedException.class, () -> tensor.get(0));
        assertThrows(ClosedException.class, () -> view.set(0, 1));
        assertThrows(ClosedException.class, tensor::toFloats);
    }

    @Test
    void roundsOnceAndToEven() {
        try (Tensor half = Tensor.allocate(DType.BF16, Shape.of(8));
                Tensor single = Tensor.allocate(DType.F32, Shape.of(2));
                Tensor integer = Tensor.allocate(DType.I32, Shape.of(6))) {
            half.copyFrom(new float[] {
                1 + 0x1p-8f, 1 + 0x3p-8f, -1 - 0x1p-8f, Float.MAX_VALUE, Float.NaN, -0.0f, 0x1p-133f, 0x1p-135f
            });
            assertArrayEquals(
                    new float[] {1, 1 + 0x1p-6f, -1, Float.POSITIVE_INFINITY, Float.NaN, -0.0f, 0x1p-133f, 0},
                    half.toFloats());
            half.set(0, 1 + 0x1p-8 + 0x1p-40);
            half.set(1, -1 - 0x3p-8 + 0x1p-40);
            half.set(2, 1e-300);
            half.set(3, -1e300);
            assertArrayEquals(
                    new float[] {1 + 0x1p-7f, -1 - 0x1p-7f, 0, Float.NEGATIVE_INFINITY},
                    half.slice(0, 0, 4).toFloats());
            single.set(0, 1 + 0x1p-24);
            single.set(1, 1 + 0x3p-24);
            assertArrayEquals(new float[] {1, 1 + 0x1p-22f}, single.toFloats());
            integer.copyFrom(new float[] {0.5f, 1.5f, -1.5f, 1e10f, -1e10f, Float.NaN});
            assertArrayEquals(new int[] {0, 2, -2, Integer.MAX_VALUE, Integer.MIN_VALUE, 0}, integer.toInts());
        }
    }

    /** Fast conversion and slow definition on all exponents; the definition searches the nearest neighbour in double. */
    @Test
    void roundsEveryDoubleToTheNearestBrainFloat() {
        Rng rng = Rng.of(7);
        for (int i = 0; i < 20_000; i++) {
            int lower = rng.bits16(2L * i) % 0x7f7f;
            double below = BFloat16.toFloat((short) lower);
            double above = BFloat16.toFloat((short) (lower + 1));
            double part = i % 5 == 0 ? 0.5 : rng.uniform(2L * i + 1);
            double value = below + part * (above - below) + (i % 10 == 0 ? (above - below) * 0x1p-30 : 0);
            boolean up = value - below > above - value || value - below == above - value && (lower & 1) == 1;
            assertEquals(up ? lower + 1 : lower, BFloat16.fromDouble(value), "bits of " + value);
            assertEquals((short) ((up ? lower + 1 : lower) | 0x8000), BFloat16.fromDouble(-value), "bits of " + -value);
        }
    }

    @Test
    void copiesAcrossDtypesAndStrides() {
        try (Tensor source = counting(2, 3);
                Tensor target = Tensor.allocate(DType.F64, Shape.of(3, 2))) {
            target.permute(1, 0).copyFrom(source);
            assertArrayEquals(new float[] {0, 3, 1, 4, 2, 5}, target.toFloats());
            assertRefused("the shapes differ", () -> target.copyFrom(source));
        }
    }

    @Test
    void copiesItsOwnViewsAsTheyWere() {
        try (Tensor tensor = counting(2, 2);
                Tensor line = counting(4)) {
            tensor.copyFrom(tensor.permute(1, 0));
            assertArrayEquals(new float[] {0, 2, 1, 3}, tensor.toFloats());
            line.slice(0, 1, 4).copyFrom(line.slice(0, 0, 3));
            assertArrayEquals(new float[] {0, 0, 1, 2}, line.toFloats());
        }
    }

    @Test
    void refusesOtherNumbersOfValuesAndFreesWhatItTook() {
        long blocks = Memory.host().liveBlocks();
        assertRefused("2 values given for shape 3", () -> Tensor.of(Shape.of(3), 1, 2));
        assertRefused("exceeds the address range", () -> Tensor.allocate(DType.F64, Shape.of(1L << 61)));
        assertThrows(QuernException.class, () -> Tensor.allocate(DType.F64, Shape.of(1L << 59)));
        assertEquals(blocks, Memory.host().liveBlocks());
        try (Tensor tensor = counting(3)) {
            assertRefused("2 values given for F32[3]", () -> tensor.copyFrom(new float[2]));
            assertRefused("item() needs one element, this is F32[3]", tensor::item);
            assertEquals(2, tensor.slice(0, 2, 3).item());
        }
    }

    @Test
    void countsLiveMemory() {
        long bytes = Memory.host().liveBytes();
        long blocks = Memory.host().liveBlocks();
        Tensor tensor = Tensor.allocate(DType.F64, Shape.of(100));
        assertEquals(bytes + 800, Memory.host().liveBytes());
        assertEquals(blocks + 1, Memory.host().liveBlocks());
        tensor.close();
        tensor.close();
        assertEquals(bytes, Memory.host().liveBytes());
        assertEquals(blocks, Memory.host().liveBlocks());
    }

    @Test
    void laysAWindowOverAStorage() {
        try (Storage storage = Memory.host().allocate(64)) {
            Tensor tensor = Tensor.over(storage, DType.F32, Shape.of(4, 4)).fill(3);
            tensor.close();
            assertEquals(3, tensor.get(15), "the storage stays its owner's");
            assertRefused(
                    "shape 17 of F32 needs more than the 64 bytes given",
                    () -> Tensor.over(storage, DType.F32, Shape.of(17)));
        }
    }

    private static Tensor counting(long... extents) {
        int[] next = {0};
        return Tensor.allocate(DType.F32, Shape.of(extents)).fill(() -> next[0]++);
    }
}
