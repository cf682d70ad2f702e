package io.quern.bench;

import io.quern.bench.peer.Library;
import io.quern.bench.peer.TransposeLibtorch;
import io.quern.op.Cost;
import io.quern.op.Transpose;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/** Tensors written out with their axes in another order. */
public class TransposeBench extends StoredOpBench {
    /** The new order of x's axes, by number: 10 is a matrix transposed, 0231 NCHW to NHWC, 0312 back. */
    @Param("10")
    public String axes;

    /** Extents of x. */
    @Param({"512x512", "4096x4096"})
    public String size;

    @Param({"quern", "libtorch"})
    public String impl;

    @Override
    protected Contest contest() {
        if (!axes.matches("[0-9]+")) {
            throw new IllegalArgumentException("axes is " + axes + ", expected digits such as 0231");
        }
        int[] extents = Sizes.parse("size", size, axes.length());
        List<Integer> order = axes.chars().mapToObj(c -> c - '0').toList();
        Contest contest = new Contest("transpose " + axes + " " + size, threads);
        Tensor x =
                contest.random(1, Shape.of(Arrays.stream(extents).asLongStream().toArray()));
        Tensor y = contest.empty(
                Shape.of(order.stream().mapToLong(axis -> extents[axis]).toArray()));
        contest.quern(Transpose.OP, new Transpose.Args(x, y, order), y);
        contest.add("libtorch", Library.LIBTORCH, () -> TransposeLibtorch.copy(x, y, order));
        return stored(contest.tolerance(0), x, y);
    }

    /** Bytes that must move: one read, one write. */
    public static Cost cost(Map<String, String> row) {
        double elements = 1;
        for (int extent : Sizes.parse("size", row.get("size"), row.get("axes").length())) {
            elements *= extent;
        }
        return new Cost(0, 2 * bytes(row) * elements);
    }
}
