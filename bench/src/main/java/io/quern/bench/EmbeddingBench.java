package io.quern.bench;

import io.quern.bench.peer.EmbeddingLibtorch;
import io.quern.bench.peer.Library;
import io.quern.op.Cost;
import io.quern.op.Embedding;
import io.quern.op.EmbeddingBackward;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Map;
import java.util.SplittableRandom;
import org.openjdk.jmh.annotations.Param;

/** Rows of a table by random numbers, and the gradient of the table. */
public class EmbeddingBench extends StoredOpBench {
    @Param({"forward", "backward"})
    public String pass;

    /** Indices x rows of the table x width. */
    @Param({"512x1000x64", "8192x50257x768"})
    public String size;

    @Param({"quern", "libtorch"})
    public String impl;

    @Override
    protected Contest contest() {
        int[] extents = Sizes.parse("size", size, 3);
        Contest contest = new Contest("embedding " + pass + " " + size, threads);
        Tensor indices = contest.own(Tensor.allocate(DType.I32, Shape.of(extents[0])));
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < extents[0]; i++) {
            indices.set(i, random.nextInt(extents[1]));
        }
        Shape table = Shape.of(extents[1], extents[2]), rows = Shape.of(extents[0], extents[2]);
        switch (pass) {
            case "forward" -> {
                Tensor x = contest.random(1, table), y = contest.empty(rows);
                contest.quern(Embedding.OP, new Embedding.Args(x, indices, y), y);
                contest.add("libtorch", Library.LIBTORCH, () -> EmbeddingLibtorch.forward(x, indices, y));
                return stored(contest.tolerance(0), x, y);
            }
            case "backward" -> {
                Tensor dy = contest.random(1, rows), dtable = contest.empty(table);
                contest.quern(EmbeddingBackward.OP, new EmbeddingBackward.Args(indices, dy, dtable), dtable);
                contest.add("libtorch", Library.LIBTORCH, () -> EmbeddingLibtorch.backward(indices, dy, dtable));
                return stored(contest.tolerance(1e-5), dy, dtable);
            }
            default -> throw new IllegalArgumentException("pass is " + pass + ", expected forward or backward");
        }
    }

    /** Bytes that must move: the rows once in and out; backwards the rows in, and the whole table out. */
    public static Cost cost(Map<String, String> row) {
        int[] extents = Sizes.parse("size", row.get("size"), 3);
        double width = (double) bytes(row) * extents[2], rows = extents[0] * width, table = extents[1] * width;
        return new Cost(0, 4.0 * extents[0] + (row.get("pass").equals("forward") ? 2 * rows : table + rows));
    }
}
