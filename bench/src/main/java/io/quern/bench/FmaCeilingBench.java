package io.quern.bench;

import io.quern.op.Cost;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.openjdk.jmh.annotations.Param;

/**
 * The compute roof: fused multiply-adds on registers alone, twelve independent chains per thread. A sum is the addend,
 * as in the kernels: an addend that is needed again would be copied first.
 */
public class FmaCeilingBench extends OpBench {
    /** Rounds of twelve multiply-adds in one call. */
    private static final int ROUNDS = 1 << 18;

    /** Width of the vectors. */
    @Param({"512", "256", "128"})
    public int bits;

    @Override
    protected Contest contest() {
        Contest contest = new Contest("fma " + bits, threads);
        float[] results = new float[16 * threads];
        Runnable one = switch (bits) {
            case 512 -> () -> results[0] = chains512(ROUNDS);
            case 256 -> () -> results[0] = chains256(ROUNDS);
            case 128 -> () -> results[0] = chains128(ROUNDS);
            default -> throw new IllegalArgumentException("bits is " + bits + ", expected 512, 256 or 128");
        };
        return contest.quern(together(contest, one), () -> {});
    }

    /** Operations of one call on all threads. */
    public static Cost cost(Map<String, String> row) {
        double lanes = Double.parseDouble(row.get("bits")) / Float.SIZE;
        return new Cost(2 * 12.0 * ROUNDS * lanes * Double.parseDouble(row.get("threads")), 0);
    }

    /** The same work on every thread at once; calls are long, so starting them costs nothing to speak of. */
    static Runnable together(Contest contest, Runnable work) {
        if (contest.threads() == 1) {
            return work;
        }
        // daemons: the last contest of a JVM stays open, and must not keep it alive
        ExecutorService others = contest.own(Executors.newFixedThreadPool(
                contest.threads() - 1, Thread.ofPlatform().daemon().factory()));
        return () -> {
            Future<?>[] running = new Future<?>[contest.threads() - 1];
            for (int i = 0; i < running.length; i++) {
                running[i] = others.submit(work);
            }
            work.run();
            for (Future<?> future : running) {
                try {
                    future.get();
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            }
        };
    }

    private static float chains512(int rounds) {
        VectorSpecies<Float> species = FloatVector.SPECIES_512;
        FloatVector scale = FloatVector.broadcast(species, 0.999f);
        FloatVector shift = FloatVector.broadcast(species, 0.001f);
        FloatVector c00 = FloatVector.broadcast(species, 0f);
        FloatVector c01 = FloatVector.broadcast(species, 1f);
        FloatVector c02 = FloatVector.broadcast(species, 2f);
        FloatVector c03 = FloatVector.broadcast(species, 3f);
        FloatVector c04 = FloatVector.broadcast(species, 4f);
        FloatVector c05 = FloatVector.broadcast(species, 5f);
        FloatVector c06 = FloatVector.broadcast(species, 6f);
        FloatVector c07 = FloatVector.broadcast(species, 7f);
        FloatVector c08 = FloatVector.broadcast(species, 8f);
        FloatVector c09 = FloatVector.broadcast(species, 9f);
        FloatVector c10 = FloatVector.broadcast(species, 10f);
        FloatVector c11 = FloatVector.broadcast(species, 11f);
        for (int i = 0; i < rounds; i++) {
            c00 = scale.fma(shift, c00);
            c01 = scale.fma(shift, c01);
            c02 = scale.fma(shift, c02);
            c03 = scale.fma(shift, c03);
            c04 = scale.fma(shift, c04);
            c05 = scale.fma(shift, c05);
            c06 = scale.fma(shift, c06);
            c07 = scale.fma(shift, c07);
            c08 = scale.fma(shift, c08);
            c09 = scale.fma(shift, c09);
            c10 = scale.fma(shift, c10);
            c11 = scale.fma(shift, c11);
        }
        c00 = c00.add(c01).add(c02).add(c03).add(c04).add(c05);
        c06 = c06.add(c07).add(c08).add(c09).add(c10).add(c11);
        return c00.add(c06).lane(0);
    }

    private static float chains256(int rounds) {
        VectorSpecies<Float> species = FloatVector.SPECIES_256;
        FloatVector scale = FloatVector.broadcast(species, 0.999f);
        FloatVector shift = FloatVector.broadcast(species, 0.001f);
        FloatVector c00 = FloatVector.broadcast(species, 0f);
        FloatVector c01 = FloatVector.broadcast(species, 1f);
        FloatVector c02 = FloatVector.broadcast(species, 2f);
        FloatVector c03 = FloatVector.broadcast(species, 3f);
        FloatVector c04 = FloatVector.broadcast(species, 4f);
        FloatVector c05 = FloatVector.broadcast(species, 5f);
        FloatVector c06 = FloatVector.broadcast(species, 6f);
        FloatVector c07 = FloatVector.broadcast(species, 7f);
        FloatVector c08 = FloatVector.broadcast(species, 8f);
        FloatVector c09 = FloatVector.broadcast(species, 9f);
        FloatVector c10 = FloatVector.broadcast(species, 10f);
        FloatVector c11 = FloatVector.broadcast(species, 11f);
        for (int i = 0; i < rounds; i++) {
            c00 = scale.fma(shift, c00);
            c01 = scale.fma(shift, c01);
            c02 = scale.fma(shift, c02);
            c03 = scale.fma(shift, c03);
            c04 = scale.fma(shift, c04);
            c05 = scale.fma(shift, c05);
            c06 = scale.fma(shift, c06);
            c07 = scale.fma(shift, c07);
            c08 = scale.fma(shift, c08);
            c09 = scale.fma(shift, c09);
            c10 = scale.fma(shift, c10);
            c11 = scale.fma(shift, c11);
        }
        c00 = c00.add(c01).add(c02).add(c03).add(c04).add(c05);
        c06 = c06.add(c07).add(c08).add(c09).add(c10).add(c11);
        return c00.add(c06).lane(0);
    }

    private static float chains128(int rounds) {
        VectorSpecies<Float> species = FloatVector.SPECIES_128;
        FloatVector scale = FloatVector.broadcast(species, 0.999f);
        FloatVector shift = FloatVector.broadcast(species, 0.001f);
        FloatVector c00 = FloatVector.broadcast(species, 0f);
        FloatVector c01 = FloatVector.broadcast(species, 1f);
        FloatVector c02 = FloatVector.broadcast(species, 2f);
        FloatVector c03 = FloatVector.broadcast(species, 3f);
        FloatVector c04 = FloatVector.broadcast(species, 4f);
        FloatVector c05 = FloatVector.broadcast(species, 5f);
        FloatVector c06 = FloatVector.broadcast(species, 6f);
        FloatVector c07 = FloatVector.broadcast(species, 7f);
        FloatVector c08 = FloatVector.broadcast(species, 8f);
        FloatVector c09 = FloatVector.broadcast(species, 9f);
        FloatVector c10 = FloatVector.broadcast(species, 10f);
        FloatVector c11 = FloatVector.broadcast(species, 11f);
        for (int i = 0; i < rounds; i++) {
            c00 = scale.fma(shift, c00);
            c01 = scale.fma(shift, c01);
            c02 = scale.fma(shift, c02);
            c03 = scale.fma(shift, c03);
            c04 = scale.fma(shift, c04);
            c05 = scale.fma(shift, c05);
            c06 = scale.fma(shift, c06);
            c07 = scale.fma(shift, c07);
            c08 = scale.fma(shift, c08);
            c09 = scale.fma(shift, c09);
            c10 = scale.fma(shift, c10);
            c11 = scale.fma(shift, c11);
        }
        c00 = c00.add(c01).add(c02).add(c03).add(c04).add(c05);
        c06 = c06.add(c07).add(c08).add(c09).add(c10).add(c11);
        return c00.add(c06).lane(0);
    }
}
