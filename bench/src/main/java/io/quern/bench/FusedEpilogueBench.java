package io.quern.bench;

import io.quern.bench.peer.Library;
import io.quern.op.Activation;
import io.quern.op.ActivationKind;
import io.quern.op.BiasAdd;
import io.quern.op.Cost;
import io.quern.op.Dropout;
import io.quern.op.DropoutMask;
import io.quern.op.Matmul;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Locale;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/**
 * Bias, activation and dropout in the matrix product's epilogue, beside the bare product, which is the bound, and beside
 * the same ops one after the other.
 */
public class FusedEpilogueBench extends OpBench {
    private static final double P = 0.1;

    /** MxNxK. */
    @Param({"256x256x256", "1024x1024x1024"})
    public String shape;

    @Param({"bias", "bias-relu", "bias-gelu", "bias-relu-dropout", "bias-gelu-dropout"})
    public String epilogue;

    @Param({"quern", "bare", "separate"})
    public String impl;

    @Override
    protected Contest contest() {
        int[] mnk = Sizes.parse("shape", shape, 3);
        ActivationKind kind = epilogue.contains("relu")
                ? ActivationKind.RELU
                : epilogue.contains("gelu") ? ActivationKind.GELU : ActivationKind.NONE;
        DropoutMask dropout = epilogue.endsWith("dropout") ? new DropoutMask(P, Rng.of(7)) : null;
        String known =
                "bias" + (kind == ActivationKind.NONE ? "" : "-" + kind.name().toLowerCase(Locale.ROOT))
                        + (dropout == null ? "" : "-dropout");
        if (!known.equals(epilogue)) {
            throw new IllegalArgumentException("epilogue is " + epilogue + ", expected for example bias-relu-dropout");
        }
        Contest contest = new Contest("epilogue " + epilogue + " " + shape, threads);
        Tensor a = contest.random(1, Shape.of(mnk[0], mnk[2]));
        Tensor b = contest.random(2, Shape.of(mnk[2], mnk[1]));
        Tensor bias = contest.random(3, Shape.of(mnk[1]));
        Tensor c = contest.empty(Shape.of(mnk[0], mnk[1]));
        Matmul.Args bare = new Matmul.Args(a, b, c, false, false);
        Matmul.Args fused = new Matmul.Args(a, b, bias, c, null, false, false, 1, 0, kind, dropout);
        Runnable rest = () -> {
            contest.backend().run(BiasAdd.OP, new BiasAdd.Args(c, bias, c));
            if (kind != ActivationKind.NONE) {
                contest.backend().run(Activation.OP, new Activation.Args(c, c, kind));
            }
            if (dropout != null) {
                contest.backend().run(Dropout.OP, new Dropout.Args(c, c, dropout.p(), dropout.rng()));
            }
        };
        return contest.quern(Matmul.OP, fused, c)
                .add("bare", Library.NONE, () -> new Contender() {
                    @Override
                    public void run() {
                        contest.backend().run(Matmul.OP, bare);
                    }

                    @Override
                    public void publish() {
                        rest.run();
                    }
                })
                .add("separate", Library.NONE, () -> () -> {
                    contest.backend().run(Matmul.OP, bare);
                    rest.run();
                })
                .tolerance(1e-5 * Math.sqrt(mnk[2]));
    }

    /** Of the product alone. */
    public static Cost cost(Map<String, String> row) {
        return MatmulBench.cost(row);
    }
}
