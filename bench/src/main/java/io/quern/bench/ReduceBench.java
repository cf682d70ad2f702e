package io.quern.bench;

import io.quern.bench.peer.Library;
import io.quern.bench.peer.ReduceLibtorch;
import io.quern.op.Cost;
import io.quern.op.Reduce;
import io.quern.op.ReduceKind;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Locale;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/** Sum, mean or maximum over the middle axis of three. */
public class ReduceBench extends StoredOpBench {
    @Param({"sum", "mean", "max"})
    public String op;

    /** Outer x reduced x inner: 32768x1000x1 are rows, 1x32768x1000 columns, 32x49x2048 a global average of images. */
    @Param({"512x512x1", "1x512x512", "32768x1000x1", "1x32768x1000"})
    public String size;

    @Param({"quern", "libtorch"})
    public String impl;

    @Override
    protected Contest contest() {
        int[] extents = Sizes.parse("size", size, 3);
        ReduceKind kind = switch (op) {
            case "sum", "mean", "max" -> ReduceKind.valueOf(op.toUpperCase(Locale.ROOT));
            default -> throw new IllegalArgumentException("op is " + op + ", expected sum, mean or max");
        };
        Contest contest = new Contest("reduce " + op + " " + size, threads);
        Tensor x = contest.random(1, Shape.of(extents[0], extents[1], extents[2]));
        Tensor y = contest.empty(Shape.of(extents[0], extents[2]));
        contest.quern(Reduce.OP, new Reduce.Args(x, y, kind, 1, 1), y);
        contest.add("libtorch", Library.LIBTORCH, () -> ReduceLibtorch.of(op, x, y));
        contest.tolerance(
                switch (kind) {
                    case SUM -> 1e-6 * Math.sqrt(extents[1]);
                    case MEAN -> 1e-6;
                    case MAX -> 0;
                });
        return stored(contest, x, y);
    }

    /** Bytes that must move: x once in, y once out. */
    public static Cost cost(Map<String, String> row) {
        int[] extents = Sizes.parse("size", row.get("size"), 3);
        return new Cost(0, (double) bytes(row) * extents[0] * extents[2] * (extents[1] + 1));
    }
}
