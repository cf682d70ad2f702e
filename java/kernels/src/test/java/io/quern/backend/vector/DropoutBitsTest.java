package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.op.DropoutMask;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** In Java and in machine code, against the definition, one element at a time, for words of any sign and elements beyond the lowest word of the counter. */
class DropoutBitsTest {
    @Test
    void bitsAreThoseOfTheMask() {
        Assumptions.assumeTrue(Rows.MASKS, "vectors are not of 512 bits");
        check(false);
    }

    @Test
    void bitsInMachineCodeAreThoseOfTheMask() {
        MachineCodeAssumption.needs(DropoutCode::hasBits, "draws of dropout");
        check(true);
    }

    private static void check(boolean inCode) {
        SplittableRandom random = new SplittableRandom(5);
        try (Tensor memory = Tensor.allocate(DType.F32, Shape.of(1024));
                Tensor argument = Tensor.allocate(DType.F32, Shape.of(1024))) {
            for (int i = 0; i < 60; i++) {
                Rng rng = new Rng(random.nextLong(), random.nextInt(), random.nextInt());
                DropoutMask mask = new DropoutMask(random.nextDouble(0.01, 0.99), rng);
                long first = (random.nextLong(1L << 40) >>> random.nextInt(40)) & -8;
                long along = 8L * random.nextInt(200);
                int rows = 1 + random.nextInt(9), columns = DropoutBits.GROUP * (1 + random.nextInt(5));
                if (!DropoutBits.covers(first, first + rows * along + columns)) {
                    continue;
                }
                if (inCode) {
                    DropoutCode.bits(mask, first, along, rows, columns, memory.address(), argument.address());
                } else {
                    DropoutBits.fill(mask, first, along, rows, columns, memory.address());
                }
                for (int row = 0; row < rows; row++) {
                    for (int j = 0; j < columns; j++) {
                        int at = row * columns + j;
                        boolean bit =
                                (Float.floatToRawIntBits(Floats.get(memory.address() + at / 32 * 4L)) >>> at % 32 & 1)
                                        != 0;
                        String where =
                                mask + ", first " + first + ", along " + along + ", row " + row + ", column " + j;
                        assertEquals(mask.drops(first + row * along + j), bit, where);
                    }
                }
            }
        }
    }

    @Test
    void blocksMustShareTheHigherWordsOfTheirCounters() {
        Assumptions.assumeTrue(Rows.MASKS, "vectors are not of 512 bits");
        long turn = 1L << 35;
        assertTrue(DropoutBits.covers(turn - 800, turn - 8));
        assertFalse(DropoutBits.covers(turn - 800, turn));
        assertTrue(DropoutBits.covers(turn, turn + 800));
        assertFalse(DropoutBits.covers(12, 24));
    }
}
