package io.quern.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AugmentationTest {
    @Test
    void aShiftRepeatsTheEdge() {
        float[] image = {9, 1, 2, 3, 4, 5, 6, 7, 8, 9};
        Shape threeByThree = Shape.of(3, 3, 1);
        // down 1: each row shows the one below; right 1: each pixel the one to its right
        RandomShift.shift(image, 1, threeByThree, 1, 1);
        assertArrayEquals(new float[] {9, 5, 6, 6, 8, 9, 9, 8, 9, 9}, image);
    }

    @Test
    void everyShiftAgreesWithTheDefinition() {
        int height = 4;
        int width = 5;
        int channels = 2;
        for (int down = -6; down <= 6; down++) {
            for (int right = -6; right <= 6; right++) {
                float[] image = new float[height * width * channels];
                float[] expected = new float[image.length];
                for (int i = 0; i < image.length; i++) {
                    image[i] = i;
                    int x = Math.clamp(i / channels % width + right, 0, width - 1);
                    int y = Math.clamp(i / channels / width + down, 0, height - 1);
                    expected[i] = (y * width + x) * channels + i % channels;
                }
                RandomShift.shift(image, 0, Shape.of(height, width, channels), down, right);
                assertArrayEquals(expected, image, "down " + down + ", right " + right);
            }
        }
    }

    @Test
    void shiftsReachTheirWholeRangeAndNoMore() {
        Set<Float> seen = new HashSet<>();
        for (int seed = 0; seed < 300; seed++) {
            float[] image = new float[49];
            for (int i = 0; i < 49; i++) {
                image[i] = i;
            }
            new RandomShift(2).apply(image, 0, Shape.of(7, 7, 1), Rng.of(seed));
            seen.add(image[24]);
        }
        // the centre of 7x7 shows one of 5x5 pixels
        assertEquals(25, seen.size());
        assertThrows(ArgumentException.class, () -> new RandomShift(-1));
    }

    @Test
    void aFlipMirrorsPixelsNotChannels() {
        Shape shape = Shape.of(1, 3, 2);
        List<Integer> flipped = new ArrayList<>();
        for (int seed = 0; seed < 200; seed++) {
            float[] image = {1, 2, 3, 4, 5, 6};
            new HorizontalFlip().apply(image, 0, shape, Rng.of(seed));
            if (image[0] == 5) {
                assertArrayEquals(new float[] {5, 6, 3, 4, 1, 2}, image);
                flipped.add(seed);
            } else {
                assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, image);
            }
        }
        assertTrue(flipped.size() > 70 && flipped.size() < 130, flipped.size() + " of 200 flipped");
    }
}
