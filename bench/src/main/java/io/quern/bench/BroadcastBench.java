package io.quern.bench;

import io.quern.bench.peer.BroadcastLibtorch;
import io.quern.bench.peer.Library;
import io.quern.op.Broadcast;
import io.quern.op.Cost;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/** A tensor repeated along a new middle axis and divided by its extent: the gradient of a mean. */
public class BroadcastBench extends StoredOpBench {
    /** Outer x repeated x inner. */
    @Param({"512x512x1", "1x512x512", "32768x1000x1", "1x32768x1000"})
    public String size;

    @Param({"quern", "libtorch"})
    public String impl;

    @Override
    protected Contest contest() {
        int[] extents = Sizes.parse("size", size, 3);
        double scale = 1.0 / extents[1];
        Contest contest = new Contest("broadcast " + size, threads);
        Tensor x = contest.random(1, Shape.of(extents[0], extents[2]));
        Tensor y = contest.empty(Shape.of(extents[0], extents[1], extents[2]));
        contest.quern(Broadcast.OP, new Broadcast.Args(x, y, scale, 1, 1), y);
        contest.add("libtorch", Library.LIBTORCH, () -> BroadcastLibtorch.of(x, y, scale));
        // both round the factor and the product, of a power of two neither
        contest.tolerance(0, Integer.bitCount(extents[1]) == 1 ? 0 : 4e-7);
        return stored(contest, x, y);
    }

    /** Bytes that must move: x once in, y once out. */
    public static Cost cost(Map<String, String> row) {
        int[] extents = Sizes.parse("size", row.get("size"), 3);
        return new Cost(0, (double) bytes(row) * extents[0] * extents[2] * (extents[1] + 1));
    }
}
