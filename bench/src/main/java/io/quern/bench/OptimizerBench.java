package io.quern.bench;

import io.quern.bench.peer.Library;
import io.quern.bench.peer.OptimizerLibtorch;
import io.quern.op.AdamWStep;
import io.quern.op.Cost;
import io.quern.op.SgdStep;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/** One update of one parameter tensor, from a gradient of some type. */
public class OptimizerBench extends StoredOpBench {
    private static final double RATE = 1e-3;
    private static final double DECAY = 1e-2;

    @Param({"adamw", "sgd"})
    public String op;

    /** Elements. */
    @Param({"16384", "16777216"})
    public int size;

    @Param({"quern", "libtorch"})
    public String impl;

    @Override
    protected Contest contest() {
        Contest contest = new Contest("optimizer " + op + " " + size, threads).tolerance(1e-5);
        Shape shape = Shape.of(size);
        Tensor initial = contest.random(1, shape);
        Tensor gradient = contest.random(2, shape);
        Tensor parameter = contest.empty(shape);
        Tensor moment1 = contest.empty(shape);
        Tensor moment2 = contest.empty(shape);
        contest.before(() -> {
            parameter.copyFrom(initial);
            contest.fill(moment1, 0);
            contest.fill(moment2, 0);
        });
        switch (op) {
            case "adamw" -> {
                contest.quern(
                        AdamWStep.OP,
                        new AdamWStep.Args(parameter, gradient, moment1, moment2, RATE, 0.9, 0.999, 1e-8, DECAY, 1),
                        parameter,
                        moment1,
                        moment2);
                contest.add(
                        "libtorch",
                        Library.LIBTORCH,
                        () -> OptimizerLibtorch.adamW(parameter, gradient, moment1, moment2, RATE, DECAY));
            }
            case "sgd" -> {
                contest.quern(
                        SgdStep.OP,
                        new SgdStep.Args(parameter, gradient, moment1, RATE, 0.9, 0, false),
                        parameter,
                        moment1);
                contest.add(
                        "libtorch", Library.LIBTORCH, () -> OptimizerLibtorch.sgd(parameter, gradient, moment1, RATE));
            }
            default -> throw new IllegalArgumentException("op is " + op + ", expected adamw or sgd");
        }
        return stored(contest, gradient);
    }

    /** Bytes: AdamW reads four tensors and writes three, SGD reads three and writes two; of these, the gradient may be BF16. */
    public static Cost cost(Map<String, String> row) {
        return new Cost(
                0, (bytes(row) + (row.get("op").equals("adamw") ? 24 : 16)) * Double.parseDouble(row.get("size")));
    }
}
