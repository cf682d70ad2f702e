package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.bench.ConvolutionProblem;
import io.quern.bench.Fastest;
import io.quern.op.Conv2dGeometry;
import io.quern.tensor.Shape;
import org.bytedeco.dnnl.convolution_backward_data;
import org.bytedeco.dnnl.convolution_backward_weights;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;

/** oneDNN's convolution primitives: in its own blocked layouts, or on NHWC images with packed weights. */
public final class Conv2dOneDnn {
    private final ConvolutionProblem problem;
    private final long[] image;
    private final long[] weights;
    private final long[] result;
    private final memory.desc storedImage;
    private final memory.desc storedWeights;
    private final memory.desc storedResult;
    private final long[] strides;
    private final long[] dilations;
    private final long[] padding;

    private Conv2dOneDnn(ConvolutionProblem problem) {
        this.problem = problem;
        Conv2dGeometry g = problem.spec().geometry();
        image = nchw(problem.spec().image());
        result = nchw(problem.spec().result());
        Shape filter = problem.spec().filter();
        long r = filter.size(0);
        long s = filter.size(1);
        long c = filter.size(2);
        long k = filter.size(3);
        long groups = g.groups();
        weights = groups == 1 ? new long[] {k, c, r, s} : new long[] {groups, k / groups, c, r, s};
        long[] steps =
                groups == 1 ? new long[] {1, k, s * c * k, c * k} : new long[] {k / groups, 1, k, s * c * k, c * k};
        storedWeights = OneDnn.plain(weights, steps);
        storedImage = OneDnn.plain(image, memory.format_tag.nhwc);
        storedResult = OneDnn.plain(result, memory.format_tag.nhwc);
        strides = new long[] {g.strideH(), g.strideW()};
        dilations = new long[] {g.dilationH() - 1, g.dilationW() - 1};
        padding = new long[] {g.paddingH(), g.paddingW()};
    }

    public static Contender fastest(ConvolutionProblem problem) {
        Conv2dOneDnn convolution = new Conv2dOneDnn(problem);
        return new Fastest("onednn conv2d")
                .or("blocked", () -> convolution.create(false))
                .or("nhwc", () -> convolution.create(true))
                .choose();
    }

    private static long[] nchw(Shape nhwc) {
        return new long[] {nhwc.size(0), nhwc.size(3), nhwc.size(1), nhwc.size(2)};
    }

    private Contender create(boolean nhwc) {
        memory.desc x = nhwc ? storedImage : OneDnn.any(image);
        memory.desc y = nhwc ? storedResult : OneDnn.any(result);
        memory.desc w = OneDnn.any(weights);
        convolution_forward.primitive_desc forward = new convolution_forward.primitive_desc(
                OneDnn.CPU,
                dnnl.prop_kind.forward_training,
                dnnl.algorithm.convolution_direct,
                x,
                w,
                y,
                strides,
                dilations,
                padding,
                padding);
        return switch (problem.pass()) {
            case FORWARD ->
                new OneDnn()
                        .input(dnnl.DNNL_ARG_SRC, problem.image(), storedImage, forward.src_desc())
                        .input(dnnl.DNNL_ARG_WEIGHTS, problem.filter(), storedWeights, forward.weights_desc())
                        .output(dnnl.DNNL_ARG_DST, problem.result(), storedResult, forward.dst_desc())
                        .of(new convolution_forward(forward));
            case BACKWARD_DATA -> {
                convolution_backward_data.primitive_desc backward = new convolution_backward_data.primitive_desc(
                        OneDnn.CPU,
                        dnnl.algorithm.convolution_direct,
                        x,
                        w,
                        y,
                        strides,
                        dilations,
                        padding,
                        padding,
                        forward);
                yield new OneDnn()
                        .input(dnnl.DNNL_ARG_DIFF_DST, problem.result(), storedResult, backward.diff_dst_desc())
                        .input(dnnl.DNNL_ARG_WEIGHTS, problem.filter(), storedWeights, backward.weights_desc())
                        .output(dnnl.DNNL_ARG_DIFF_SRC, problem.image(), storedImage, backward.diff_src_desc())
                        .of(new convolution_backward_data(backward));
            }
            case BACKWARD_WEIGHTS -> {
                convolution_backward_weights.primitive_desc backward = new convolution_backward_weights.primitive_desc(
                        OneDnn.CPU,
                        dnnl.algorithm.convolution_direct,
                        x,
                        w,
                        y,
                        strides,
                        dilations,
                        padding,
                        padding,
                        forward);
                yield new OneDnn()
                        .input(dnnl.DNNL_ARG_SRC, problem.image(), storedImage, backward.src_desc())
                        .input(dnnl.DNNL_ARG_DIFF_DST, problem.result(), storedResult, backward.diff_dst_desc())
                        .output(
                                dnnl.DNNL_ARG_DIFF_WEIGHTS,
                                problem.filter(),
                                storedWeights,
                                backward.diff_weights_desc())
                        .of(new convolution_backward_weights(backward));
            }
        };
    }
}
