package io.quern.bench;

import io.quern.bench.peer.ElementwiseLibtorch;
import io.quern.bench.peer.ElementwiseOneDnn;
import io.quern.bench.peer.Library;
import io.quern.op.Activation;
import io.quern.op.ActivationBackward;
import io.quern.op.ActivationKind;
import io.quern.op.Add;
import io.quern.op.BiasAdd;
import io.quern.op.Cost;
import io.quern.op.Multiply;
import io.quern.op.Scale;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/** Sums, products and activations of whole tensors. */
public class ElementwiseBench extends StoredOpBench {
    private static final int CHANNELS = 256;

    @Param({
        "add",
        "multiply",
        "scale",
        "bias",
        "relu",
        "gelu",
        "sigmoid",
        "tanh",
        "relu-backward",
        "gelu-backward",
        "sigmoid-backward",
        "tanh-backward"
    })
    public String op;

    /** Elements; a multiple of 256, the channels of bias. */
    @Param({"16384", "33554432"})
    public int size;

    @Param({"quern", "onednn", "libtorch"})
    public String impl;

    @Override
    protected Contest contest() {
        Contest contest = new Contest("elementwise " + op + " " + size, threads);
        Shape shape = Shape.of(size / CHANNELS, CHANNELS);
        Tensor a = contest.random(1, shape);
        Tensor y = contest.empty(shape);
        Tensor b = null;
        switch (op) {
            case "add" -> contest.quern(Add.OP, new Add.Args(a, b = contest.random(2, shape), y), y);
            case "multiply" -> contest.quern(Multiply.OP, new Multiply.Args(a, b = contest.random(2, shape), y), y);
            case "scale" -> contest.quern(Scale.OP, new Scale.Args(a, y, 0.75), y);
            case "bias" ->
                contest.quern(BiasAdd.OP, new BiasAdd.Args(a, b = contest.random(2, Shape.of(CHANNELS)), y), y);
            default -> {
                ActivationKind kind =
                        ActivationKind.valueOf(op.replace("-backward", "").toUpperCase(java.util.Locale.ROOT));
                if (op.endsWith("-backward")) {
                    b = contest.random(2, shape);
                    contest.quern(ActivationBackward.OP, new ActivationBackward.Args(a, b, y, kind), y);
                } else {
                    contest.quern(Activation.OP, new Activation.Args(a, y, kind), y);
                }
            }
        }
        Tensor second = b;
        contest.add("libtorch", Library.LIBTORCH, () -> ElementwiseLibtorch.of(op, a, second, y))
                .add("onednn", Library.ONEDNN, () -> ElementwiseOneDnn.of(op, a, second, y))
                .tolerance(1e-5);
        return b == null ? stored(contest, a, y) : stored(contest, a, b, y);
    }

    /** Bytes of the inputs and the output. */
    public static Cost cost(Map<String, String> row) {
        String op = row.get("op");
        boolean three = op.equals("add") || op.equals("multiply") || op.endsWith("-backward");
        return new Cost(0, (three ? 3 : 2) * bytes(row) * Double.parseDouble(row.get("size")));
    }
}
