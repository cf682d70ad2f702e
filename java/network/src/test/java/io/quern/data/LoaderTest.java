package io.quern.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.QuernException;
import io.quern.tensor.Shape;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LoaderTest {
    private static final ByteImages DATA = Samples.images(103, 2, 3, 1, 5, i -> i % 5);

    private record Copy(int index, int[] samples, float[] inputs, int[] labels) {}

    private static List<Copy> all(Batches batches) {
        List<Copy> copies = new ArrayList<>();
        try (batches) {
            for (Batch batch = batches.next(); batch != null; batch = batches.next()) {
                copies.add(new Copy(
                        batch.index(),
                        batch.samples(),
                        batch.inputs().toFloats(),
                        batch.labels().toInts()));
            }
            assertNull(batches.next());
        }
        return copies;
    }

    private static void assertSameBatches(List<Copy> expected, List<Copy> found) {
        assertEquals(expected.size(), found.size());
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(expected.get(i).index(), found.get(i).index());
            assertArrayEquals(expected.get(i).samples(), found.get(i).samples());
            assertArrayEquals(expected.get(i).inputs(), found.get(i).inputs());
            assertArrayEquals(expected.get(i).labels(), found.get(i).labels());
        }
    }

    @Test
    void everySampleComesOncePerEpochWithItsLabel() {
        List<Copy> batches = all(Loader.shuffled(DATA, 10, 1).epoch(0));
        assertEquals(11, batches.size());
        int[] seen = batches.stream()
                .flatMapToInt(b -> Arrays.stream(b.samples()))
                .sorted()
                .toArray();
        assertArrayEquals(IntStream.range(0, 103).toArray(), seen);
        for (Copy batch : batches) {
            for (int i = 0; i < batch.samples().length; i++) {
                assertEquals(DATA.label(batch.samples()[i]), batch.labels()[i]);
                assertArrayEquals(
                        Samples.read(DATA, batch.samples()[i]), Arrays.copyOfRange(batch.inputs(), 6 * i, 6 * i + 6));
            }
        }
    }

    @Test
    void tensorsHaveTheShapeOfTheBatchAndTheLastOneIsKeptOrDropped() {
        Loader loader = Loader.inOrder(DATA, 50);
        try (Batches batches = loader.epoch(0)) {
            Batch first = batches.next();
            assertEquals(Shape.of(50, 2, 3, 1), first.inputs().shape());
            assertEquals(DType.I32, first.labels().dtype());
            batches.next();
            Batch last = batches.next();
            assertEquals(3, last.size());
            assertEquals(Shape.of(3, 2, 3, 1), last.inputs().shape());
            assertArrayEquals(new int[] {100, 101, 102}, last.samples());
        }
        assertEquals(2, all(loader.withDropLast().epoch(0)).size());
        assertEquals(0, all(Loader.inOrder(DATA, 104).withDropLast().epoch(0)).size());
        assertEquals(103, all(Loader.inOrder(DATA, 1000).epoch(0)).getFirst().labels().length);
    }

    @Test
    void orderIsAFunctionOfSeedAndEpoch() {
        Loader loader = Loader.shuffled(DATA, 10, 1);
        assertArrayEquals(loader.order(3), Loader.shuffled(DATA, 7, 1).order(3));
        assertNotEquals(Arrays.toString(loader.order(3)), Arrays.toString(loader.order(4)));
        assertNotEquals(
                Arrays.toString(loader.order(3)),
                Arrays.toString(Loader.shuffled(DATA, 10, 2).order(3)));
    }

    @Test
    void anEpochContinuesAtAnyBatch() {
        Loader loader = Loader.shuffled(DATA, 10, 1).withAugmentation(new RandomShift(1).then(new HorizontalFlip()));
        List<Copy> whole = all(loader.epoch(2));
        assertSameBatches(whole, all(loader.epoch(2)));
        for (int first : new int[] {1, 5, 10, 11}) {
            assertSameBatches(whole.subList(first, 11), all(loader.epoch(2, first)));
        }
        assertThrows(ArgumentException.class, () -> loader.epoch(2, 12));
    }

    @Test
    void augmentationIsAFunctionOfSeedEpochAndSampleAlone() {
        Augmentation shift = new RandomShift(2);
        float[] inTens = sample(Loader.shuffled(DATA, 10, 1).withAugmentation(shift), 4, 42);
        float[] inSevens =
                sample(Loader.shuffled(DATA, 7, 1).withAugmentation(shift).withBuffers(2), 4, 42);
        assertArrayEquals(inTens, inSevens);
        long versions = IntStream.range(0, 20)
                .mapToObj(
                        epoch -> Arrays.toString(sample(Loader.inOrder(DATA, 50).withAugmentation(shift), epoch, 42)))
                .distinct()
                .count();
        assertTrue(versions > 3, versions + " different versions in 20 epochs");
    }

    private static float[] sample(Loader loader, int epoch, int wanted) {
        for (Copy batch : all(loader.epoch(epoch))) {
            for (int i = 0; i < batch.samples().length; i++) {
                if (batch.samples()[i] == wanted) {
                    return Arrays.copyOfRange(batch.inputs(), 6 * i, 6 * i + 6);
                }
            }
        }
        throw new AssertionError("sample " + wanted + " did not come");
    }

    @Test
    void abandonedInTheMiddleItLeavesNoMemoryAndNoThread() {
        long before = Memory.host().liveBlocks();
        for (int taken = 0; taken < 6; taken++) {
            int count = taken;
            assertTimeoutPreemptively(Duration.ofSeconds(10), () -> {
                try (Batches batches = Loader.shuffled(DATA, 10, 1).epoch(0)) {
                    for (int i = 0; i < count; i++) {
                        batches.next();
                    }
                }
            });
        }
        assertEquals(before, Memory.host().liveBlocks());
        assertTrue(Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().equals("quern-loader")));
    }

    @Test
    void failuresSurfaceInTheConsumerAfterTheGoodBatches() {
        FormatException failure = new FormatException("f", "", "odd", "mend it");
        Dataset failing = new Failing(DATA, 25, failure);
        try (Batches batches = Loader.inOrder(failing, 10).epoch(0)) {
            assertEquals(0, batches.next().index());
            assertEquals(1, batches.next().index());
            assertSame(failure, assertThrows(FormatException.class, batches::next));
            assertSame(failure, assertThrows(FormatException.class, batches::next));
        }
    }

    private record Failing(Dataset source, int bad, FormatException failure) implements Dataset {
        @Override
        public int size() {
            return source.size();
        }

        @Override
        public Shape sampleShape() {
            return source.sampleShape();
        }

        @Override
        public List<String> classNames() {
            return source.classNames();
        }

        @Override
        public void read(int index, float[] destination, int offset) {
            if (index == bad) {
                throw failure;
            }
            source.read(index, destination, offset);
        }

        @Override
        public int label(int index) {
            return source.label(index);
        }
    }

    @Test
    void useAfterCloseIsAnError() {
        Batches batches = Loader.inOrder(DATA, 10).epoch(0);
        batches.close();
        batches.close();
        assertThrows(QuernException.class, batches::next);
    }

    @Test
    void badArgumentsAreRefused() {
        assertThrows(ArgumentException.class, () -> Loader.inOrder(DATA, 0));
        assertThrows(ArgumentException.class, () -> Loader.inOrder(DATA, 1).withBuffers(1));
        assertThrows(ArgumentException.class, () -> Loader.inOrder(Subset.limit(DATA, 0, 1), 1));
    }
}
