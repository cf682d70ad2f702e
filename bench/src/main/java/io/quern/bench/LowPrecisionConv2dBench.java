package io.quern.bench;

import io.quern.bench.ConvolutionProblem.Pass;
import io.quern.op.ActivationKind;
import io.quern.op.Conv2d;
import io.quern.op.Conv2dBackwardData;
import io.quern.op.Conv2dBackwardWeights;
import io.quern.op.Conv2dGeometry;
import io.quern.op.Cost;
import io.quern.op.Precision;
import io.quern.tensor.DType;
import io.quern.tensor.Tensor;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/**
 * The three passes of a convolution on tensor cores: of BF16, rounded to BF16, or of F32 that may be rounded to TF32. On the host
 * without kernels.
 */
public class LowPrecisionConv2dBench extends OpBench {
    /** Half a unit in the last place of BF16, twice: of the result and of what it is compared with. */
    private static final double BF16_ROUNDING = 0x1p-7;
    /** Per root of the number of terms: what operands lose by TF32, six standard deviations. */
    private static final double TF32_ROUNDING = 1e-3;
    /** The same of sums in F32. */
    private static final double SUM_ROUNDING = 1e-5;

    /** Batch, image, channels, filters, taps, stride, padding; then optionally dilation and groups. */
    @Param("n1h8w8c8k8r3s3u1p1")
    public String conv;

    @Param({"forward", "backward-data", "backward-weights"})
    public String pass;

    @Param({"bf16", "tf32"})
    public String type;

    @Param("quern")
    public String impl;

    @Override
    protected Contest contest() {
        if (!(type.equals("bf16") || type.equals("tf32"))) {
            throw new IllegalArgumentException("type is " + type + ", expected bf16 or tf32");
        }
        ConvolutionSpec spec = ConvolutionSpec.parse(conv);
        Contest contest = new Contest("conv2d " + type + " " + conv + " " + pass, threads);
        ConvolutionProblem full = new ConvolutionProblem(
                spec,
                Pass.parse(pass),
                contest.random(1, spec.image()),
                contest.random(2, spec.filter()),
                contest.random(3, spec.result()));
        double terms = full.pass() == Pass.BACKWARD_WEIGHTS
                ? spec.result().elements() / (double) spec.result().size(3)
                : spec.filter().elements();
        if (type.equals("tf32")) {
            return add(contest, full, Precision.TF32)
                    .onHost(() -> call(full, Precision.FULL).on(contest.backend()))
                    .tolerance(TF32_ROUNDING * Math.sqrt(terms));
        }
        ConvolutionProblem narrow = new ConvolutionProblem(
                spec,
                full.pass(),
                narrow(contest, full.image()),
                narrow(contest, full.filter()),
                narrow(contest, full.result()));
        return add(contest, narrow, Precision.FULL)
                .onHost(() -> {
                    call(full, Precision.FULL).on(contest.backend());
                    narrow.written().copyFrom(full.written());
                })
                .tolerance(BF16_ROUNDING + SUM_ROUNDING * Math.sqrt(terms));
    }

    private static Contest add(Contest contest, ConvolutionProblem problem, Precision precision) {
        return contest.quern(List.of(call(problem, precision)), problem.written());
    }

    private static Contest.OpCall<?> call(ConvolutionProblem p, Precision precision) {
        Conv2dGeometry geometry = p.spec().geometry();
        return switch (p.pass()) {
            case FORWARD ->
                new Contest.OpCall<>(
                        Conv2d.OP,
                        new Conv2d.Args(
                                p.image(),
                                p.filter(),
                                null,
                                p.result(),
                                null,
                                geometry,
                                ActivationKind.NONE,
                                precision));
            case BACKWARD_DATA ->
                new Contest.OpCall<>(
                        Conv2dBackwardData.OP,
                        new Conv2dBackwardData.Args(p.result(), p.filter(), p.image(), geometry, precision));
            case BACKWARD_WEIGHTS ->
                new Contest.OpCall<>(
                        Conv2dBackwardWeights.OP,
                        new Conv2dBackwardWeights.Args(p.image(), p.result(), p.filter(), geometry, precision));
        };
    }

    /** Rounded, and the original made equal to it. */
    private static Tensor narrow(Contest contest, Tensor values) {
        Tensor narrow = contest.own(Tensor.allocate(DType.BF16, values.shape()));
        narrow.copyFrom(values);
        values.copyFrom(narrow);
        return narrow;
    }

    /** Operations as of a direct convolution, and the bytes of the three tensors. */
    public static Cost cost(Map<String, String> row) {
        Cost f32 = Conv2dBench.cost(row);
        return row.get("type").equals("tf32") ? f32 : new Cost(f32.flops(), f32.bytes() / 2);
    }
}
