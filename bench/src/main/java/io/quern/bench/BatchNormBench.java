package io.quern.bench;

import io.quern.bench.peer.BatchNormLibtorch;
import io.quern.bench.peer.Library;
import io.quern.op.BatchNorm;
import io.quern.op.BatchNormBackward;
import io.quern.op.Cost;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/** Batch normalization of NHWC images in training, and its gradient. */
public class BatchNormBench extends StoredOpBench {
    private static final double EPSILON = 1e-5;
    private static final double MOMENTUM = 0.1;

    @Param({"forward", "backward"})
    public String pass;

    /** N x H x W x C. */
    @Param({"32x32x32x16", "32x56x56x256"})
    public String size;

    @Param({"quern", "libtorch"})
    public String impl;

    @Override
    protected Contest contest() {
        int[] nhwc = Sizes.parse("size", size, 4);
        Contest contest = new Contest("batch-norm " + pass + " " + size, threads).tolerance(1e-4);
        Shape shape = Shape.of(nhwc[0], nhwc[1], nhwc[2], nhwc[3]);
        Shape channels = Shape.of(nhwc[3]);
        Tensor x = contest.random(1, shape);
        Tensor gamma = contest.random(2, channels);
        Tensor beta = contest.random(3, channels);
        Tensor y = contest.empty(shape);
        Tensor mean = contest.empty(channels);
        Tensor inverseDeviation = contest.empty(channels);
        BatchNorm.Args forward = new BatchNorm.Args(
                x,
                gamma,
                beta,
                contest.empty(channels).fill(0),
                contest.empty(channels).fill(1),
                y,
                mean,
                inverseDeviation,
                EPSILON,
                MOMENTUM);
        switch (pass) {
            case "forward" -> {
                contest.quern(BatchNorm.OP, forward, y);
                contest.add(
                        "libtorch",
                        Library.LIBTORCH,
                        () -> BatchNormLibtorch.forward(x, gamma, beta, y, EPSILON, MOMENTUM));
            }
            case "backward" -> {
                contest.backend().run(BatchNorm.OP, forward);
                Tensor dy = contest.random(4, shape);
                Tensor dx = contest.empty(shape);
                BatchNormBackward.Args args = new BatchNormBackward.Args(
                        x, dy, gamma, mean, inverseDeviation, dx, contest.empty(channels), contest.empty(channels));
                contest.quern(BatchNormBackward.OP, args, dx);
                contest.add(
                        "libtorch",
                        Library.LIBTORCH,
                        () -> BatchNormLibtorch.backward(x, dy, gamma, mean, inverseDeviation, dx, EPSILON));
                return stored(contest, x, dy, dx);
            }
            default -> throw new IllegalArgumentException("pass is " + pass + ", expected forward or backward");
        }
        return stored(contest, x, y);
    }

    /** Bytes that must move: the moments need a pass of their own, so x is read twice, in backward dy too. */
    public static Cost cost(Map<String, String> row) {
        double elements = 1;
        for (int extent : Sizes.parse("size", row.get("size"), 4)) {
            elements *= extent;
        }
        return new Cost(0, (row.get("pass").equals("forward") ? 3 : 5) * bytes(row) * elements);
    }
}
