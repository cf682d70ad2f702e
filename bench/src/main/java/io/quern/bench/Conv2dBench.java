package io.quern.bench;

import io.quern.bench.peer.Conv2dLibtorch;
import io.quern.bench.peer.Conv2dOneDnn;
import io.quern.bench.peer.Conv2dOpenBlas;
import io.quern.bench.peer.Library;
import io.quern.op.Conv2d;
import io.quern.op.Conv2dBackwardData;
import io.quern.op.Conv2dBackwardWeights;
import io.quern.op.Cost;
import io.quern.tensor.Tensor;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/** The three passes of a convolution in f32; ours on NHWC, a peer in the layout it likes best. */
public class Conv2dBench extends OpBench {
    /** Batch, image, channels, filters, taps, stride, padding; then optionally dilation and groups. */
    @Param({
        "n32h28w28c1k32r5s5u1p2",
        "n32h14w14c32k64r5s5u1p2",
        "n32h32w32c16k16r3s3u1p1",
        "n32h16w16c32k32r3s3u1p1",
        "n32h8w8c64k64r3s3u1p1",
        "n32h32w32c16k32r3s3u2p1"
    })
    public String conv;

    @Param({"forward", "backward-data", "backward-weights"})
    public String pass;

    /** {@code columns-openblas} is the textbook method and knows no groups. */
    @Param({"quern", "onednn", "libtorch"})
    public String impl;

    @Override
    protected Contest contest() {
        ConvolutionSpec spec = ConvolutionSpec.parse(conv);
        Contest contest = new Contest("conv2d " + conv + " " + pass, threads);
        Tensor x = contest.random(1, spec.image());
        Tensor filter = contest.random(2, spec.filter());
        Tensor y = contest.random(3, spec.result());
        ConvolutionProblem problem = new ConvolutionProblem(spec, ConvolutionProblem.Pass.parse(pass), x, filter, y);
        switch (problem.pass()) {
            case FORWARD -> contest.quern(Conv2d.OP, new Conv2d.Args(x, filter, y, spec.geometry()), y);
            case BACKWARD_DATA ->
                contest.quern(Conv2dBackwardData.OP, new Conv2dBackwardData.Args(y, filter, x, spec.geometry()), x);
            case BACKWARD_WEIGHTS ->
                contest.quern(
                        Conv2dBackwardWeights.OP,
                        new Conv2dBackwardWeights.Args(x, y, filter, spec.geometry()),
                        filter);
        }
        double terms = problem.pass() == ConvolutionProblem.Pass.BACKWARD_WEIGHTS
                ? spec.result().elements() / (double) spec.result().size(3)
                : spec.filter().elements();
        return contest.add("onednn", Library.ONEDNN, () -> Conv2dOneDnn.fastest(problem))
                .add("libtorch", Library.LIBTORCH, () -> Conv2dLibtorch.fastest(problem))
                .add("columns-openblas", Library.OPENBLAS, () -> new Conv2dOpenBlas(problem))
                .tolerance(1e-5 * Math.sqrt(terms));
    }

    /** Operations as of a direct convolution, and the bytes of the three tensors. */
    public static Cost cost(Map<String, String> row) {
        ConvolutionSpec spec = ConvolutionSpec.parse(row.get("conv"));
        double tensors = spec.image().elements()
                + spec.filter().elements()
                + spec.result().elements();
        return new Cost(spec.flops(), 4 * tensors);
    }
}
