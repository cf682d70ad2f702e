package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.tensor.Tensor;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.softmax_forward;

/** oneDNN's softmax primitive on the shared memory. */
public final class SoftmaxOneDnn {
    private SoftmaxOneDnn() {}

    public static Contender forward(Tensor x, Tensor y) {
        memory.desc rows = OneDnn.plain(new long[] {x.size(0), x.size(1)}, memory.format_tag.ab);
        softmax_forward.primitive_desc description = new softmax_forward.primitive_desc(
                OneDnn.CPU, dnnl.prop_kind.forward_training, dnnl.algorithm.softmax_accurate, rows, rows, 1);
        return new OneDnn()
                .input(dnnl.DNNL_ARG_SRC, x, rows, rows)
                .output(dnnl.DNNL_ARG_DST, y, rows, rows)
                .of(new softmax_forward(description));
    }
}
