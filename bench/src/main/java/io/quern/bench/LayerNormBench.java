package io.quern.bench;

import io.quern.bench.peer.LayerNormLibtorch;
import io.quern.bench.peer.Library;
import io.quern.op.Cost;
import io.quern.op.LayerNorm;
import io.quern.op.LayerNormBackward;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/** Layer normalization over rows, and its gradient. */
public class LayerNormBench extends StoredOpBench {
    private static final double EPSILON = 1e-5;

    @Param({"forward", "backward"})
    public String pass;

    /** Rows x width. */
    @Param({"512x768", "32768x1024"})
    public String size;

    @Param({"quern", "libtorch"})
    public String impl;

    @Override
    protected Contest contest() {
        int[] extents = Sizes.parse("size", size, 2);
        Contest contest = new Contest("layer-norm " + pass + " " + size, threads).tolerance(1e-4);
        Shape shape = Shape.of(extents[0], extents[1]);
        Shape width = Shape.of(extents[1]);
        Tensor x = contest.random(1, shape);
        Tensor gamma = contest.random(2, width);
        Tensor beta = contest.random(3, width);
        Tensor y = contest.empty(shape);
        Tensor mean = contest.empty(Shape.of(extents[0]));
        Tensor inverseDeviation = contest.empty(Shape.of(extents[0]));
        LayerNorm.Args forward = new LayerNorm.Args(x, gamma, beta, y, mean, inverseDeviation, EPSILON);
        switch (pass) {
            case "forward" -> {
                contest.quern(LayerNorm.OP, forward, y);
                contest.add("libtorch", Library.LIBTORCH, () -> LayerNormLibtorch.forward(x, gamma, beta, y, EPSILON));
            }
            case "backward" -> {
                contest.backend().run(LayerNorm.OP, forward);
                Tensor dy = contest.random(4, shape);
                Tensor dx = contest.empty(shape);
                LayerNormBackward.Args args = new LayerNormBackward.Args(
                        x, dy, gamma, mean, inverseDeviation, dx, contest.empty(width), contest.empty(width));
                contest.quern(LayerNormBackward.OP, args, dx);
                contest.add(
                        "libtorch",
                        Library.LIBTORCH,
                        () -> LayerNormLibtorch.backward(x, dy, gamma, beta, mean, inverseDeviation, dx));
                return stored(contest, x, dy, dx);
            }
            default -> throw new IllegalArgumentException("pass is " + pass + ", expected forward or backward");
        }
        return stored(contest, x, y);
    }

    /** Bytes of the large tensors, each once. */
    public static Cost cost(Map<String, String> row) {
        int[] extents = Sizes.parse("size", row.get("size"), 2);
        return new Cost(0, (row.get("pass").equals("forward") ? 2.0 : 3.0) * bytes(row) * extents[0] * extents[1]);
    }
}
