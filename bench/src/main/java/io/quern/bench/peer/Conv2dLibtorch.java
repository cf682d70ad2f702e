package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.bench.ConvolutionProblem;
import io.quern.bench.Fastest;
import io.quern.op.Conv2dGeometry;
import org.bytedeco.javacpp.BoolPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.LongArrayRef;
import org.bytedeco.pytorch.LongArrayRefOptional;
import org.bytedeco.pytorch.T_TensorTensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** at::convolution and its backward, in the memory format that libtorch runs fastest. Results are allocated by it. */
public final class Conv2dLibtorch implements Contender {
    private final ConvolutionProblem problem;
    private final Tensor image;
    private final Tensor filter;
    private final Tensor result;
    private final Tensor shared;
    private final LongArrayRef stride;
    private final LongArrayRef padding;
    private final LongArrayRef dilation;
    private final LongArrayRef zero = Libtorch.longs(0, 0);
    private final LongArrayRefOptional noBias = new LongArrayRefOptional();
    private final TensorOptional noTensor = new TensorOptional();
    private final BoolPointer wanted = new BoolPointer(3);
    private final long groups;
    private Pointer owner;
    private Tensor last;

    private Conv2dLibtorch(ConvolutionProblem problem, torch.MemoryFormat format) {
        this.problem = problem;
        Conv2dGeometry g = problem.spec().geometry();
        stride = Libtorch.longs(g.strideH(), g.strideW());
        padding = Libtorch.longs(g.paddingH(), g.paddingW());
        dilation = Libtorch.longs(g.dilationH(), g.dilationW());
        groups = g.groups();
        Tensor imageView = Libtorch.over(problem.image()).permute(0, 3, 1, 2);
        Tensor filterView = Libtorch.over(problem.filter()).permute(3, 2, 0, 1);
        Tensor resultView = Libtorch.over(problem.result()).permute(0, 3, 1, 2);
        image = imageView.contiguous(format);
        filter = filterView.contiguous(format);
        result = resultView.contiguous(format);
        shared = switch (problem.pass()) {
            case FORWARD -> resultView;
            case BACKWARD_DATA -> imageView;
            case BACKWARD_WEIGHTS -> filterView;
        };
        wanted.put(0, problem.pass() == ConvolutionProblem.Pass.BACKWARD_DATA);
        wanted.put(1, problem.pass() == ConvolutionProblem.Pass.BACKWARD_WEIGHTS);
        wanted.put(2, false);
    }

    public static Contender fastest(ConvolutionProblem problem) {
        return new Fastest("libtorch conv2d")
                .or("channels-last", () -> new Conv2dLibtorch(problem, torch.MemoryFormat.ChannelsLast))
                .or("nchw", () -> new Conv2dLibtorch(problem, torch.MemoryFormat.Contiguous))
                .choose();
    }

    @Override
    public void run() {
        release();
        if (problem.pass() == ConvolutionProblem.Pass.FORWARD) {
            last = torch.convolution(image, filter, noTensor, stride, padding, dilation, false, zero, groups);
            owner = last;
            return;
        }
        T_TensorTensorTensor_T gradients = torch.convolution_backward(
                result, image, filter, noBias, stride, padding, dilation, false, zero, groups, wanted);
        owner = gradients;
        last = problem.pass() == ConvolutionProblem.Pass.BACKWARD_DATA ? gradients.get0() : gradients.get1();
    }

    private void release() {
        if (owner != null) {
            owner.close();
        }
    }

    @Override
    public void publish() {
        shared.copy_(last).close();
    }

    @Override
    public void close() {
        release();
        image.close();
        filter.close();
        result.close();
    }
}
