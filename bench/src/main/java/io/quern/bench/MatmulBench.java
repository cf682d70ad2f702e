package io.quern.bench;

import io.quern.bench.peer.Library;
import io.quern.bench.peer.MatmulLibtorch;
import io.quern.bench.peer.MatmulMkl;
import io.quern.bench.peer.MatmulOneDnn;
import io.quern.bench.peer.MatmulOpenBlas;
import io.quern.op.Cost;
import io.quern.op.Matmul;
import io.quern.op.Packing;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Arrays;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/**
 * c = a b in f32. b of nn and nt is a weight, which Quern, like its peers, may pack before the clock runs;
 * {@code quern-plain} may not.
 */
public class MatmulBench extends OpBench {
    /** MxNxK. */
    @Param({"64x64x64", "256x256x256", "512x512x512", "1024x1024x1024", "2048x2048x2048"})
    public String shape;

    /** Which operands are stored transposed: a, then b. */
    @Param("nn")
    public String layout;

    @Param({"quern", "quern-plain", "openblas", "mkl", "onednn", "libtorch"})
    public String impl;

    @Override
    protected Contest contest() {
        int[] mnk = Sizes.parse("shape", shape, 3);
        if (!layout.matches("[nt][nt]")) {
            throw new IllegalArgumentException("layout is " + layout + ", expected nn, nt, tn or tt");
        }
        boolean transposeA = layout.charAt(0) == 't';
        boolean transposeB = layout.charAt(1) == 't';
        Contest contest = new Contest("matmul " + shape + " " + layout, threads);
        Tensor a = contest.random(1, transposeA ? Shape.of(mnk[2], mnk[0]) : Shape.of(mnk[0], mnk[2]));
        Tensor b = contest.random(2, transposeB ? Shape.of(mnk[1], mnk[2]) : Shape.of(mnk[2], mnk[1]));
        Tensor c = contest.empty(Shape.of(mnk[0], mnk[1]));
        Matmul.Args args = new Matmul.Args(a, b, c, transposeA, transposeB);
        Matmul.Args weights = transposeA ? args : args.packed(contest.own(new Packing()));
        return contest.quern(Matmul.OP, weights, c)
                .add("quern-plain", Library.NONE, () -> () -> contest.backend().run(Matmul.OP, args))
                .add("openblas", Library.OPENBLAS, () -> new MatmulOpenBlas(args))
                .add("mkl", Library.MKL, () -> MatmulMkl.fastest(args))
                .add("onednn", Library.ONEDNN, () -> MatmulOneDnn.fastest(args))
                .add("libtorch", Library.LIBTORCH, () -> new MatmulLibtorch(args))
                .tolerance(1e-5 * Math.sqrt(mnk[2]));
    }

    /** Operations, and the bytes of the three matrices. */
    public static Cost cost(Map<String, String> row) {
        double[] mnk = Arrays.stream(row.get("shape").split("x"))
                .mapToDouble(Double::parseDouble)
                .toArray();
        return new Cost(2 * mnk[0] * mnk[1] * mnk[2], 4 * (mnk[0] * mnk[2] + mnk[2] * mnk[1] + mnk[0] * mnk[1]));
    }
}
