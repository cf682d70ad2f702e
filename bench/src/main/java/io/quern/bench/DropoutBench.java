package io.quern.bench;

import io.quern.bench.peer.DropoutLibtorch;
import io.quern.bench.peer.Library;
import io.quern.op.Cost;
import io.quern.op.Dropout;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Map;
import java.util.SplittableRandom;
import org.openjdk.jmh.annotations.Param;

/** y = dropout(x) with p = 1/2; {@code splittable-random} is what a Java programmer would write first. */
public class DropoutBench extends StoredOpBench {
    private static final double P = 0.5;

    /** Elements. */
    @Param({"4096", "65536", "16777216"})
    public int size;

    @Param({"quern", "libtorch", "splittable-random"})
    public String impl;

    @Override
    protected Contest contest() {
        Contest contest = new Contest("dropout " + size, threads);
        Tensor x = contest.random(1, Shape.of(size));
        Tensor y = contest.empty(Shape.of(size));
        contest.quern(Dropout.OP, new Dropout.Args(x, y, P, Rng.of(7)), y)
                .add("libtorch", Library.LIBTORCH, () -> DropoutLibtorch.fastest(x, y, P))
                .add("splittable-random", Library.NONE, () -> overSplittableRandom(x, y))
                .check(name -> plausible("dropout " + size + " by " + name, x.toFloats(), y.toFloats()));
        return stored(contest, x, y);
    }

    /** Implementations draw other numbers: every element is dropped or doubled, and about half of them dropped. */
    private static void plausible(String what, float[] x, float[] y) {
        long dropped = 0;
        for (int i = 0; i < x.length; i++) {
            if (y[i] == 0 && x[i] != 0) {
                dropped++;
            } else if (Math.abs(y[i] - x[i] / (1 - P)) > 1e-6) {
                throw new IllegalStateException(
                        what + ": element " + i + " is " + y[i] + " for input " + x[i] + "; not timed");
            }
        }
        double deviations = (dropped - P * x.length) / Math.sqrt(P * (1 - P) * x.length);
        if (Math.abs(deviations) > 6) {
            throw new IllegalStateException(what + ": " + dropped + " of " + x.length + " dropped, " + deviations
                    + " standard deviations from the mean; not timed");
        }
    }

    private static Contender overSplittableRandom(Tensor x, Tensor y) {
        SplittableRandom random = new SplittableRandom(1);
        float[] input = x.toFloats();
        float[] output = new float[input.length];
        return new Contender() {
            @Override
            public void run() {
                for (int i = 0; i < input.length; i++) {
                    output[i] = random.nextInt() < 0 ? 0 : 2 * input[i];
                }
            }

            @Override
            public void publish() {
                y.copyFrom(output);
            }
        };
    }

    /** Bytes of input and output; no mask. */
    public static Cost cost(Map<String, String> row) {
        return new Cost(0, 2 * bytes(row) * Double.parseDouble(row.get("size")));
    }
}
