package io.quern.bench;

import io.quern.bench.peer.Library;
import io.quern.bench.peer.PoolLibtorch;
import io.quern.op.AvgPool;
import io.quern.op.AvgPoolBackward;
import io.quern.op.Cost;
import io.quern.op.MaxPool;
import io.quern.op.MaxPoolBackward;
import io.quern.op.PoolGeometry;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/** Pooling of NHWC images, and its gradient. */
public class PoolBench extends StoredOpBench {
    @Param({"max", "max-backward", "average", "average-backward"})
    public String op;

    /** N x H x W x C x window x stride x padding. */
    @Param({"32x28x28x32x2x2x0", "16x112x112x64x3x2x1"})
    public String size;

    @Param({"quern", "libtorch"})
    public String impl;

    @Override
    protected Contest contest() {
        int[] v = Sizes.parse("size", size, 7);
        PoolGeometry geometry = PoolGeometry.of(v[4], v[5]).withPadding(v[6]);
        Contest contest = new Contest("pool " + op + " " + size, threads).tolerance(1e-5);
        Shape image = Shape.of(v[0], v[1], v[2], v[3]);
        Tensor x = contest.random(1, image);
        Shape pooled = geometry.resultShape("Pool", x, "x");
        switch (op) {
            case "max" -> {
                Tensor y = contest.empty(pooled);
                contest.quern(MaxPool.OP, new MaxPool.Args(x, y, geometry), y);
                contest.add("libtorch", Library.LIBTORCH, () -> PoolLibtorch.max(x, y, geometry));
                return stored(contest, x, y);
            }
            case "average" -> {
                Tensor y = contest.empty(pooled);
                contest.quern(AvgPool.OP, new AvgPool.Args(x, y, geometry, false), y);
                contest.add("libtorch", Library.LIBTORCH, () -> PoolLibtorch.average(x, y, geometry));
                return stored(contest, x, y);
            }
            case "max-backward" -> {
                Tensor dy = contest.random(2, pooled);
                Tensor dx = contest.empty(image);
                contest.quern(MaxPoolBackward.OP, new MaxPoolBackward.Args(x, dy, dx, geometry), dx);
                contest.add("libtorch", Library.LIBTORCH, () -> PoolLibtorch.maxBackward(x, dy, dx, geometry));
                return stored(contest, x, dy, dx);
            }
            case "average-backward" -> {
                Tensor dy = contest.random(2, pooled);
                Tensor dx = contest.empty(image);
                contest.quern(AvgPoolBackward.OP, new AvgPoolBackward.Args(dy, dx, geometry, false), dx);
                contest.add("libtorch", Library.LIBTORCH, () -> PoolLibtorch.averageBackward(x, dy, dx, geometry));
                return stored(contest, dy, dx);
            }
            default ->
                throw new IllegalArgumentException(
                        "op is " + op + ", expected max, max-backward, average or average-backward");
        }
    }

    /** Bytes of the tensors, each once; the backward of max reads the image too. */
    public static Cost cost(Map<String, String> row) {
        int[] v = Sizes.parse("size", row.get("size"), 7);
        double image = (double) v[0] * v[1] * v[2] * v[3];
        double p = (v[1] + 2 * v[6] - v[4]) / v[5] + 1;
        double q = (v[2] + 2 * v[6] - v[4]) / v[5] + 1;
        double pooled = v[0] * p * q * v[3];
        return new Cost(0, bytes(row) * ((row.get("op").equals("max-backward") ? 2 : 1) * image + pooled));
    }
}
