package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.op.PoolGeometry;
import io.quern.tensor.Tensor;
import org.bytedeco.pytorch.LongArrayRef;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.global.torch;

/** libtorch's pooling, channels-last. */
public final class PoolLibtorch {
    private PoolLibtorch() {}

    /** With the indices of the maxima, which libtorch's gradient needs and finds in the same pass. */
    public static Contender max(Tensor x, Tensor y, PoolGeometry g) {
        LibtorchScript script = new LibtorchScript(
                """
                def f(x):
                    y, indices = torch.max_pool2d_with_indices(x, [%d, %d], [%d, %d], [%d, %d], [1, 1], False)
                    return y
                """.formatted(g.windowH(), g.windowW(), g.strideH(), g.strideW(), g.paddingH(), g.paddingW()),
                Libtorch.image(x));
        return Libtorch.allocating(script::call, Libtorch.image(y));
    }

    public static Contender maxBackward(Tensor x, Tensor dy, Tensor dx, PoolGeometry g) {
        LongArrayRef window = Libtorch.longs(g.windowH(), g.windowW());
        LongArrayRef stride = Libtorch.longs(g.strideH(), g.strideW());
        LongArrayRef padding = Libtorch.longs(g.paddingH(), g.paddingW());
        LongArrayRef dilation = Libtorch.longs(1, 1);
        org.bytedeco.pytorch.Tensor image = Libtorch.image(x);
        org.bytedeco.pytorch.Tensor gradient = Libtorch.image(dy);
        org.bytedeco.pytorch.Tensor out = Libtorch.image(dx);
        org.bytedeco.pytorch.Tensor pooled = torch.empty_like(gradient);
        org.bytedeco.pytorch.Tensor indices = torch.empty_like(gradient).to(torch.ScalarType.Long);
        T_TensorTensor_T kept =
                torch.max_pool2d_with_indices_out(pooled, indices, image, window, stride, padding, dilation, false);
        return new Contender() {
            @Override
            public void run() {
                torch.max_pool2d_with_indices_backward_out(
                                out, gradient, image, window, stride, padding, dilation, false, indices)
                        .close();
            }

            @Override
            public void close() {
                kept.close();
            }
        };
    }

    public static Contender average(Tensor x, Tensor y, PoolGeometry g) {
        LongArrayRef window = Libtorch.longs(g.windowH(), g.windowW());
        LongArrayRef stride = Libtorch.longs(g.strideH(), g.strideW());
        LongArrayRef padding = Libtorch.longs(g.paddingH(), g.paddingW());
        LongOptional divisor = new LongOptional();
        org.bytedeco.pytorch.Tensor image = Libtorch.image(x);
        org.bytedeco.pytorch.Tensor out = Libtorch.image(y);
        return Libtorch.writing(() -> torch.avg_pool2d_out(out, image, window, stride, padding, false, false, divisor));
    }

    public static Contender averageBackward(Tensor x, Tensor dy, Tensor dx, PoolGeometry g) {
        LongArrayRef window = Libtorch.longs(g.windowH(), g.windowW());
        LongArrayRef stride = Libtorch.longs(g.strideH(), g.strideW());
        LongArrayRef padding = Libtorch.longs(g.paddingH(), g.paddingW());
        LongOptional divisor = new LongOptional();
        org.bytedeco.pytorch.Tensor image = Libtorch.image(x);
        org.bytedeco.pytorch.Tensor gradient = Libtorch.image(dy);
        org.bytedeco.pytorch.Tensor out = Libtorch.image(dx);
        return Libtorch.writing(() ->
                torch.avg_pool2d_backward_out(out, gradient, image, window, stride, padding, false, false, divisor));
    }
}
