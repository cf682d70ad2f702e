package io.quern.bench;

import io.quern.bench.peer.Library;
import io.quern.bench.peer.SoftmaxLibtorch;
import io.quern.bench.peer.SoftmaxOneDnn;
import io.quern.op.Cost;
import io.quern.op.Softmax;
import io.quern.op.SoftmaxBackward;
import io.quern.op.SoftmaxCrossEntropy;
import io.quern.op.SoftmaxCrossEntropyBackward;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/** Softmax over rows and its gradient, and the cross-entropy loss with its gradient. */
public class SoftmaxBench extends StoredOpBench {
    /** {@code cross-entropy} is the loss and the gradient of the logits, one after the other. */
    @Param({"softmax", "backward", "cross-entropy"})
    public String op;

    /** Rows x classes. */
    @Param({"128x10", "512x512", "32768x1000"})
    public String size;

    @Param({"quern", "onednn", "libtorch"})
    public String impl;

    @Override
    protected Contest contest() {
        int[] extents = Sizes.parse("size", size, 2);
        Contest contest = new Contest("softmax " + op + " " + size, threads);
        Shape shape = Shape.of(extents[0], extents[1]);
        Tensor x = contest.random(1, shape);
        Tensor y = contest.empty(shape);
        // probabilities are about 1 / classes, the gradients of a mean loss by rows less
        double small = 1e-5 / extents[1];
        contest.tolerance(small, 1e-5);
        Tensor probabilities = contest.empty(shape);
        boolean narrow = !op.equals("cross-entropy"); // the loss keeps probabilities in the type of its sums
        switch (op) {
            case "softmax" -> {
                contest.quern(Softmax.OP, new Softmax.Args(x, y), y);
                contest.add("libtorch", Library.LIBTORCH, () -> SoftmaxLibtorch.forward(x, y));
                contest.add("onednn", Library.ONEDNN, () -> SoftmaxOneDnn.forward(x, y));
            }
            case "backward" -> {
                contest.backend().run(Softmax.OP, new Softmax.Args(x, probabilities));
                contest.quern(SoftmaxBackward.OP, new SoftmaxBackward.Args(probabilities, x, y), y);
                contest.add("libtorch", Library.LIBTORCH, () -> SoftmaxLibtorch.backward(probabilities, x, y));
            }
            case "cross-entropy" -> {
                Tensor labels = contest.own(Tensor.allocate(DType.I32, Shape.of(extents[0])));
                for (int i = 0; i < extents[0]; i++) {
                    labels.set(i, i % extents[1]);
                }
                Tensor loss = contest.empty(Shape.of());
                Tensor one = contest.empty(Shape.of()).fill(1);
                SoftmaxCrossEntropy.Args forward =
                        new SoftmaxCrossEntropy.Args(x, labels, null, loss, probabilities, 0, -100);
                SoftmaxCrossEntropyBackward.Args backward =
                        new SoftmaxCrossEntropyBackward.Args(probabilities, labels, null, one, y, 0, -100);
                contest.quern(
                        List.of(
                                new Contest.OpCall<>(SoftmaxCrossEntropy.OP, forward),
                                new Contest.OpCall<>(SoftmaxCrossEntropyBackward.OP, backward)),
                        y);
                contest.add("libtorch", Library.LIBTORCH, () -> SoftmaxLibtorch.crossEntropy(x, labels, y));
                contest.tolerance(small / extents[0], 1e-5);
            }
            default ->
                throw new IllegalArgumentException("op is " + op + ", expected softmax, backward or cross-entropy");
        }
        return narrow ? stored(contest, x, probabilities, y) : stored(contest, x, y);
    }

    /** Bytes that must move: softmax reads and writes once; the loss reads logits and writes probabilities in f32, and back. */
    public static Cost cost(Map<String, String> row) {
        int[] extents = Sizes.parse("size", row.get("size"), 2);
        double bytes = switch (row.get("op")) {
            case "softmax" -> 2 * bytes(row);
            case "backward" -> 3 * bytes(row);
            default -> 2 * bytes(row) + 2 * 4;
        };
        return new Cost(0, bytes * extents[0] * extents[1]);
    }
}
