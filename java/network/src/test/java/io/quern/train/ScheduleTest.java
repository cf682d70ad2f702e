package io.quern.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.ArgumentException;
import java.util.List;
import org.junit.jupiter.api.Test;

class ScheduleTest {
    private static final double EPS = 1e-12;

    @Test
    void constantStays() {
        assertEquals(0.1, new ConstantRate(0.1).rate(99, 100));
    }

    @Test
    void stepsFallAtTheirMilestones() {
        StepDecay schedule = new StepDecay(0.1, 0.1, List.of(0.5, 0.75));
        assertEquals(0.1, schedule.rate(49, 100), EPS);
        assertEquals(0.01, schedule.rate(50, 100), EPS);
        assertEquals(0.01, schedule.rate(74, 100), EPS);
        assertEquals(0.001, schedule.rate(75, 100), EPS);
    }

    @Test
    void cosineFallsFromBaseThroughTheHalfToTheFloor() {
        CosineDecay plain = new CosineDecay(0.2);
        assertEquals(0.2, plain.rate(0, 100), EPS);
        assertEquals(0.1, plain.rate(50, 100), EPS);
        assertEquals(0.2 * (1 + Math.cos(Math.PI * 0.99)) / 2, plain.rate(99, 100), EPS);
        CosineDecay warm = new CosineDecay(0.2, 0.1, 0.5);
        assertEquals(0.02, warm.rate(0, 100), EPS);
        assertEquals(0.1, warm.rate(4, 100), EPS);
        assertEquals(0.2, warm.rate(9, 100), EPS);
        assertEquals(0.2, warm.rate(10, 100), EPS);
        assertEquals(0.15, warm.rate(55, 100), EPS);
        assertEquals(0.1, warm.rate(100, 100), EPS);
    }

    @Test
    void oneCycleRisesToItsPeakAndFallsBelowItsStart() {
        OneCycle schedule = new OneCycle(1, 0.3, 25, 1e4);
        assertEquals(0.04, schedule.rate(0, 101), EPS);
        assertEquals(0.52, schedule.rate(15, 101), EPS);
        assertEquals(1, schedule.rate(30, 101), EPS);
        assertEquals(1e-4, schedule.rate(100, 101), EPS);
        for (long step = 1; step <= 100; step++) {
            double change = schedule.rate(step, 101) - schedule.rate(step - 1, 101);
            assertTrue(step <= 30 ? change > 0 : change < 0, "step " + step);
        }
    }

    @Test
    void trainingsOfOneStepHaveARate() {
        for (Schedule schedule : List.of(
                new ConstantRate(1),
                new StepDecay(1, 0.5, List.of(0.5)),
                new CosineDecay(1, 0.5, 0),
                new OneCycle(1))) {
            double rate = schedule.rate(0, 1);
            assertTrue(rate > 0 && rate <= 1, schedule + ": " + rate);
        }
    }

    @Test
    void ratesThatMakeNoSenseAreRefused() {
        assertThrows(ArgumentException.class, () -> new ConstantRate(0));
        assertThrows(ArgumentException.class, () -> new ConstantRate(Double.NaN));
        assertThrows(ArgumentException.class, () -> new CosineDecay(1, 1, 0));
        assertThrows(ArgumentException.class, () -> new CosineDecay(1, 0, -0.1));
        assertThrows(ArgumentException.class, () -> new OneCycle(1, 0.3, 0.5, 1));
        assertThrows(ArgumentException.class, () -> new StepDecay(1, 0, List.of()));
    }
}
