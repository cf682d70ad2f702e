package io.quern.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class DropoutTest {
    private static final int N = 1 << 16;

    private static float[] ofOnes(double p, Rng rng) {
        try (Tensor x = Tensor.allocate(DType.F32, Shape.of(N)).fill(1)) {
            Dropout.OP.reference(new Dropout.Args(x, x, p, rng));
            return x.toFloats();
        }
    }

    private static int kept(float[] y) {
        int kept = 0;
        for (float value : y) {
            kept += value == 0 ? 0 : 1;
        }
        return kept;
    }

    /** 65536 draws with p = 1/4: 49152 kept, standard deviation 111. */
    @Test
    void dropsTheGivenShareAndScalesTheRest() {
        float[] y = ofOnes(0.25, Rng.of(5));
        assertEquals(0.75 * N, kept(y), 5 * 111);
        for (float value : y) {
            assertEquals(value == 0 ? 0 : 4 / 3f, value);
        }
    }

    @Test
    void keepsEverythingForProbabilityZero() {
        assertEquals(N, kept(ofOnes(0, Rng.of(5))));
    }

    @Test
    void isAFunctionOfSeedStreamAndStep() {
        Rng rng = new Rng(5, 6, 7);
        float[] y = ofOnes(0.5, rng);
        assertArrayEquals(y, ofOnes(0.5, new Rng(5, 6, 7)));
        assertNotEquals(Arrays.hashCode(y), Arrays.hashCode(ofOnes(0.5, rng.step(8))));
        assertNotEquals(Arrays.hashCode(y), Arrays.hashCode(ofOnes(0.5, rng.stream(8))));
        assertNotEquals(Arrays.hashCode(y), Arrays.hashCode(ofOnes(0.5, new Rng(6, 6, 7))));
    }

    @Test
    void dropsWhereTheDrawIsBelowTheThreshold() {
        Rng rng = new Rng(1, 2, 3);
        float[] y = ofOnes(0.5, rng);
        for (int i = 0; i < 100; i++) {
            assertEquals(rng.bits16(i) < 32768, y[i] == 0, "element " + i);
        }
    }

    @Test
    void aDroppedNaNIsZero() {
        try (Tensor x = Tensor.allocate(DType.F32, Shape.of(100)).fill(Double.NaN)) {
            Dropout.OP.reference(new Dropout.Args(x, x, 0.5, Rng.of(1)));
            assertEquals(Rng.of(1).bits16(0) < 32768, x.get(0) == 0);
            assertNotEquals(0, kept(x.toFloats()));
            assertNotEquals(100, kept(x.toFloats()));
        }
    }
}
