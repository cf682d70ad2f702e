package io.quern.bench;

import io.quern.op.Cost;
import java.util.Map;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.openjdk.jmh.annotations.Param;

/**
 * Whether a core takes other instructions beside its multiply-adds: the loop of {@link FmaCeilingBench} with six chains of integer
 * instructions, three to two multiply-adds. On a virtual machine of two cores the same loop went between some 90 % of the roof and
 * 55 % within seconds. The roof does not fall then, but kernels may that have many loads and additions beside their
 * multiply-adds.
 */
public class DispatchBench extends OpBench {
    /** Rounds of twelve multiply-adds and 18 integer instructions in one call. */
    private static final int ROUNDS = 1 << 18;

    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

    /** Width of the vectors: that of the JVM. */
    @Param("512")
    public int bits;

    @Override
    protected Contest contest() {
        if (bits != SPECIES.vectorBitSize()) {
            throw new IllegalArgumentException("bits is " + bits + ", expected the width of this JVM's vectors, "
                    + SPECIES.vectorBitSize() + "; -XX:UseAVX=2 limits it to 256, -XX:MaxVectorSize=16 to 128");
        }
        Contest contest = new Contest("dispatch " + bits, threads);
        float[] results = new float[16 * threads];
        return contest.quern(FmaCeilingBench.together(contest, () -> results[0] = chains(ROUNDS)), () -> {});
    }

    /** The multiply-adds of one call on all threads. */
    public static Cost cost(Map<String, String> row) {
        double lanes = Double.parseDouble(row.get("bits")) / Float.SIZE;
        return new Cost(2 * 12.0 * ROUNDS * lanes * Double.parseDouble(row.get("threads")), 0);
    }

    private static float chains(int rounds) {
        FloatVector scale = FloatVector.broadcast(SPECIES, 0.999f);
        FloatVector shift = FloatVector.broadcast(SPECIES, 0.001f);
        FloatVector c00 = FloatVector.broadcast(SPECIES, 0f);
        FloatVector c01 = FloatVector.broadcast(SPECIES, 1f);
        FloatVector c02 = FloatVector.broadcast(SPECIES, 2f);
        FloatVector c03 = FloatVector.broadcast(SPECIES, 3f);
        FloatVector c04 = FloatVector.broadcast(SPECIES, 4f);
        FloatVector c05 = FloatVector.broadcast(SPECIES, 5f);
        FloatVector c06 = FloatVector.broadcast(SPECIES, 6f);
        FloatVector c07 = FloatVector.broadcast(SPECIES, 7f);
        FloatVector c08 = FloatVector.broadcast(SPECIES, 8f);
        FloatVector c09 = FloatVector.broadcast(SPECIES, 9f);
        FloatVector c10 = FloatVector.broadcast(SPECIES, 10f);
        FloatVector c11 = FloatVector.broadcast(SPECIES, 11f);
        int n0 = rounds, n1 = rounds + 1, n2 = rounds + 2, n3 = rounds + 3, n4 = rounds + 4, n5 = rounds + 5;
        for (int i = 0; i < rounds; i++) {
            c00 = scale.fma(shift, c00);
            c01 = scale.fma(shift, c01);
            n0 = (n0 + 5 ^ 3) + 9; // sums and xors in turn: the compiler cannot merge two that follow each other
            c02 = scale.fma(shift, c02);
            c03 = scale.fma(shift, c03);
            n1 = (n1 + 5 ^ 3) + 9;
            c04 = scale.fma(shift, c04);
            c05 = scale.fma(shift, c05);
            n2 = (n2 + 5 ^ 3) + 9;
            c06 = scale.fma(shift, c06);
            c07 = scale.fma(shift, c07);
            n3 = (n3 + 5 ^ 3) + 9;
            c08 = scale.fma(shift, c08);
            c09 = scale.fma(shift, c09);
            n4 = (n4 + 5 ^ 3) + 9;
            c10 = scale.fma(shift, c10);
            c11 = scale.fma(shift, c11);
            n5 = (n5 + 5 ^ 3) + 9;
        }
        c00 = c00.add(c01).add(c02).add(c03).add(c04).add(c05);
        c06 = c06.add(c07).add(c08).add(c09).add(c10).add(c11);
        return c00.add(c06).lane(0) + (n0 ^ n1 ^ n2 ^ n3 ^ n4 ^ n5);
    }
}
