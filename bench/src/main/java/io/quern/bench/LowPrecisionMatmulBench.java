package io.quern.bench;

import io.quern.op.ActivationKind;
import io.quern.op.Cost;
import io.quern.op.Matmul;
import io.quern.op.Precision;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/** c = a b on tensor cores: of BF16, rounded to BF16, or of F32 that may be rounded to TF32. On the host without kernels. */
public class LowPrecisionMatmulBench extends OpBench {
    /** Half a unit in the last place of BF16, twice: of the result and of what it is compared with. */
    private static final double BF16_ROUNDING = 0x1p-7;
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
        if (type.equals("tf32")) {
            Tensor c = contest.empty(shapeC);
            Matmul.Args full = new Matmul.Args(a, b, c, transposeA, transposeB);
            Matmul.Args args = new Matmul.Args(
                    a, b, null, c, null, transposeA, transposeB, 1, 0, ActivationKind.NONE, null, Precision.TF32, null);
            return contest.quern(Matmul.OP, args, c)
                    .onHost(() -> contest.backend().run(Matmul.OP, full))
                    .tolerance(TF32_ROUNDING * Math.sqrt(mnk[2]));
        }
        if (!type.equals("bf16")) {
            throw new IllegalArgumentException("type is " + type + ", expected bf16 or tf32");
        }
        Tensor narrowA = narrow(contest, a);
        Tensor narrowB = narrow(contest, b);
        Tensor c = contest.own(Tensor.allocate(DType.BF16, shapeC));
        Tensor wide = contest.empty(shapeC);
        Matmul.Args full = new Matmul.Args(a, b, wide, transposeA, transposeB);
        return contest.quern(Matmul.OP, new Matmul.Args(narrowA, narrowB, c, transposeA, transposeB), c)
                .onHost(() -> {
                    contest.backend().run(Matmul.OP, full);
                    c.copyFrom(wide);
                })
                .tolerance(BF16_ROUNDING);
    }

    /** Rounded, and the original made equal to it. */
    private static Tensor narrow(Contest contest, Tensor values) {
        Tensor narrow = contest.own(Tensor.allocate(DType.BF16, values.shape()));
        narrow.copyFrom(values);
        values.copyFrom(narrow);
        return narrow;
    }

    /** Operations, and the bytes of the three matrices. */
    public static Cost cost(Map<String, String> row) {
        Cost f32 = MatmulBench.cost(row);
        return row.get("type").equals("tf32") ? f32 : new Cost(f32.flops(), f32.bytes() / 2);
    }
}
