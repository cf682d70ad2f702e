package io.quern.cli.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ScalesTest {
    @Test
    void ticksAreRoundAndCoverTheRange() {
        assertEquals(List.of(0.0, 1.0, 2.0, 3.0), Ticks.covering(0.1, 2.7, 4).values());
        Ticks accuracy = Ticks.covering(97.11, 99.02, 4);
        assertEquals(0.5, accuracy.step());
        assertTrue(accuracy.low() <= 97.11 && accuracy.high() >= 99.02);
        assertEquals("97.5", accuracy.label(97.5));
        assertEquals("0", Ticks.covering(0, 3, 3).label(-0.0));
    }

    @Test
    void oneValueStillHasAnAxis() {
        Ticks ticks = Ticks.covering(2, 2, 4);
        assertTrue(ticks.low() <= 2 && ticks.high() > ticks.low());
    }

    @Test
    void zeroIsWhiteAndTheEndsAreBlueAndRed() {
        DivergingScale scale = new DivergingScale(2);
        assertEquals(0xf7f7f7, scale.rgb(0));
        assertEquals(0x053061, scale.rgb(-2));
        assertEquals(0x67001f, scale.rgb(2));
        assertEquals(scale.rgb(2), scale.rgb(5), "beyond the end");
    }

    @Test
    void theScaleIsSymmetricAroundZero() {
        DivergingScale scale = DivergingScale.covering(new float[] {-4, 1, 2}, 1);
        assertEquals(4, scale.limit());
        assertEquals(0, DivergingScale.covering(new float[3], 1).limit());
        assertEquals(0xf7f7f7, new DivergingScale(0).rgb(0));
    }

    @Test
    void textCannotBecomeMarkup() {
        assertEquals("&lt;b&gt; &amp; &quot;x&quot;", Html.escape("<b> & \"x\""));
    }

    @Test
    void linesBreakWhereValuesAreMissing() {
        String svg = new SvgChart("Loss", "%.1f")
                .line("training", List.of(1.0, 2.0))
                .line("validation", List.of(Double.NaN, Double.NaN))
                .svg();
        assertEquals(1, svg.split("<path", -1).length - 1, "no line of nothing");
        assertTrue(svg.contains("epoch 2: 2.0"), svg);
    }
}
