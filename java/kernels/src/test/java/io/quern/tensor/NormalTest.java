package io.quern.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NormalTest {
    /** Quantiles computed apart with 40 digits; the last but one is the most extreme draw of a 32-bit generator. */
    @ParameterizedTest
    @CsvSource({
        "0.5, 0",
        "0.6, 0.25334710313579974132",
        "0.9, 1.2815515655446005935",
        "0.925, 1.4395314709384562291",
        "0.975, 1.9599639845400538556",
        "0.999, 3.0902323061678132778",
        "0.0001, -3.7190164854556805523",
        "0x1p-33, -6.3379577545537892525",
        "1e-13, -7.3487961028006775135"
    })
    void quantilesHaveFifteenDigits(String probability, double quantile) {
        assertEquals(
                quantile, Normal.quantile(Double.parseDouble(probability)), 1e-14 * Math.max(1, Math.abs(quantile)));
    }

    @Test
    void isOddAndIncreases() {
        double last = Double.NEGATIVE_INFINITY;
        for (int k = 1; k < 4096; k++) {
            double p = k / 4096.0;
            double x = Normal.quantile(p);
            assertTrue(x > last, "at " + p);
            assertEquals(-x, Normal.quantile(1 - p), 1e-15);
            last = x;
        }
    }

    @Test
    void itsLogarithmIsThatOfTheMathematicsLibrary() {
        for (double x = 1e-300; x < 1e300; x *= 1.37) {
            assertEquals(Math.log(x), Normal.log(x), 4 * Math.ulp(Math.log(x)));
        }
    }
}
