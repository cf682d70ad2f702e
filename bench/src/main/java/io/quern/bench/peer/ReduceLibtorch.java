package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.tensor.Tensor;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.global.torch;

/** libtorch's reductions over the middle axis of three, into the shared memory. */
public final class ReduceLibtorch {
    private ReduceLibtorch() {}

    public static Contender of(String op, Tensor x, Tensor y) {
        org.bytedeco.pytorch.Tensor input = Libtorch.over(x);
        org.bytedeco.pytorch.Tensor out = Libtorch.over(y);
        ScalarTypeOptional same = new ScalarTypeOptional();
        return Libtorch.writing(
                switch (op) {
                    case "sum" -> () -> torch.sum_out(out, input, new long[] {1}, false, same);
                    case "mean" -> () -> torch.mean_out(out, input, new long[] {1}, false, same);
                    case "max" -> () -> torch.amax_out(out, input, new long[] {1}, false);
                    default -> throw new IllegalArgumentException("op is " + op);
                });
    }
}
