package io.quern.bench;

import io.quern.op.ActivationKind;
import io.quern.op.Cost;
import io.quern.op.Matmul;
import io.quern.op.Precision;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/** c = a b on tensor cores: of BF16, rounded to BF16, or of F32 that may be rounded to TF32. On the host without kernels. */
public class LowPrecisionMatmulBench extends OpBench {
    /** Per root of k: what operands lose by TF32, six standard deviations. */
    private static final double TF32_ROUNDING = 1e-3;

    /** MxNxK. */
    @Param("64x64x64")
    public String shape;

    /** Which operands are stored transposed: a, then b. */
    @Param("nn")
    public String layout;

    @Param({"bf16", "tf32"})
    public String type;

    @Param("quern")
    public String impl;

    @Override
    protected Contest contest() {
        int[] mnk = Sizes.parse("shape", shape, 3);
        boolean transposeA = layout.startsWith("t");
        boolean transposeB = layout.endsWith("t");
        Shape shapeA = transposeA ? Shape.of(mnk[2], mnk[0]) : Shape.of(mnk[0], mnk[2]);
        Shape shapeB = transposeB ? Shape.of(mnk[1], mnk[2]) : Shape.of(mnk[2], mnk[1]);
        Shape shapeC = Shape.of(mnk[0], mnk[1]);
        Contest contest = new Contest("matmul " + type + " " + shape + " " + layout, threads);
        Tensor a = contest.random(1, shapeA);
        Tensor b = contest.random(2, shapeB);
        Tensor c = contest.empty(shapeC);
        Matmul.Args full = new Matmul.Args(a, b, c, transposeA, transposeB);
        if (type.equals("tf32")) {
            Matmul.Args args = new Matmul.Args(
                    a, b, null, c, null, transposeA, transposeB, 1, 0, ActivationKind.NONE, null, Precision.TF32, null);
            return contest.quern(Matmul.OP, args, c)
                    .onHost(() -> contest.backend().run(Matmul.OP, full))
                    .tolerance(TF32_ROUNDING * Math.sqrt(mnk[2]));
        }
        if (!type.equals("bf16")) {
            throw new IllegalArgumentException("type is " + type + ", expected bf16 or tf32");
        }
        return contest.quern(Matmul.OP, full, c)
                .tolerance(1e-5 * Math.sqrt(mnk[2]))
                .inBf16(a, b, c);
    }

    /** Operations, and the bytes of the three matrices. */
    public static Cost cost(Map<String, String> row) {
        Cost f32 = MatmulBench.cost(row);
        return row.get("type").equals("tf32") ? f32 : new Cost(f32.flops(), f32.bytes() / 2);
    }
}
