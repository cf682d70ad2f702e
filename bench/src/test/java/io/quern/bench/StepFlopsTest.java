package io.quern.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.junit.jupiter.api.Test;

class StepFlopsTest {
    /** Forward and the gradient by the weights, and for all layers but the first that by the inputs. */
    private static double step(double first, double... others) {
        double multiplyAdds = 2 * first;
        for (double layer : others) {
            multiplyAdds += 3 * layer;
        }
        return 2 * multiplyAdds;
    }

    @Test
    void denseLayers() {
        double expected = step(784 * 256, 256 * 128, 128 * 10);
        assertEquals(expected, StepFlops.perSample("mlp"));
        assertEquals(
                32 * expected,
                TrainStepBench.cost(Map.of("model", "mlp", "batch", "32")).flops());
    }

    @Test
    void convolutions() {
        double first = 28 * 28 * 6 * 25;
        assertEquals(step(first, 10 * 10 * 16 * 6 * 25, 400 * 120, 120 * 84, 84 * 10), StepFlops.perSample("lenet"));
    }

    @Test
    void stridesAndShortcuts() {
        double wide = 32 * 32 * 16 * 16 * 9;
        double down = 16 * 16 * 32 * 16 * 9 + 16 * 16 * 32 * 16 + 5 * wide;
        double last = 8 * 8 * 64 * 32 * 9 + 8 * 8 * 64 * 32 + 5 * wide;
        assertEquals(step(32 * 32 * 16 * 3 * 9, 6 * wide, down, last, 64 * 10), StepFlops.perSample("resnet20"));
    }
}
