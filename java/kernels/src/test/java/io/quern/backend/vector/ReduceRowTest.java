package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.op.Reduce;
import io.quern.op.ReduceKind;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The maximum is taken by the bits of floats: one special element among equal ones, at every place, along rows and columns. */
class ReduceRowTest {
    private static final float NEGATIVE_NAN = Float.intBitsToFloat(0xffc00000);
    /** More than eight rows, and columns with a rest beside whole vectors. */
    private static final int COLUMNS = 19;

    @BeforeEach
    void vectorsAreThere() {
        Assumptions.assumeTrue(
                ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
                "the module jdk.incubator.vector is not loaded in this JVM");
    }

    @Test
    void negativeElements() {
        check(-3, -2);
        check(-3, -0f);
        check(-2, -3);
        check(Float.NEGATIVE_INFINITY, -Float.MAX_VALUE);
        check(Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY);
        check(-Float.MIN_VALUE, -Float.MAX_VALUE);
    }

    @Test
    void elementsOfBothSigns() {
        check(-3, 2);
        check(3, -2);
        check(-3, 0f);
        check(-3, Float.POSITIVE_INFINITY);
        check(Float.MIN_VALUE, Float.NEGATIVE_INFINITY);
    }

    @Test
    void aNaNOfEitherSign() {
        for (float nan : new float[] {Float.NaN, NEGATIVE_NAN, Float.intBitsToFloat(0xff800001)}) {
            check(-3, nan);
            check(3, nan);
            check(Float.POSITIVE_INFINITY, nan);
            check(Float.NEGATIVE_INFINITY, nan);
        }
    }

    /** Against {@link Math#max}. */
    private static void check(float most, float one) {
        float expected = Math.max(most, one);
        try (Backend backend = Backends.of("vector", 1)) {
            for (int length : new int[] {7, 16, 35}) {
                for (int place = 0; place < length; place++) {
                    String what = one + " at " + place + " of " + length + " elements " + most;
                    assertEquals(expected, max(backend, length, 1, place, most, one)[0], what + ", a row");
                    for (float column : max(backend, length, COLUMNS, place, most, one)) {
                        assertEquals(expected, column, what + ", columns");
                    }
                }
            }
        }
    }

    private static float[] max(Backend backend, int length, int columns, int place, float most, float one) {
        float[] elements = new float[length * columns];
        Arrays.fill(elements, most);
        Arrays.fill(elements, place * columns, (place + 1) * columns, one);
        try (Tensor x = Tensor.allocate(DType.F32, Shape.of(length, columns));
                Tensor y = Tensor.allocate(DType.F32, Shape.of(columns))) {
            for (int i = 0; i < elements.length; i++) {
                x.set(i, elements[i]);
            }
            backend.run(Reduce.OP, new Reduce.Args(x, y, ReduceKind.MAX, 0, 0));
            return y.toFloats();
        }
    }
}
