package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.bench.Unavailable;
import io.quern.tensor.Tensor;
import org.bytedeco.dnnl.binary;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;

/** oneDNN's forward elementwise and binary primitives, on the shared memory. */
public final class ElementwiseOneDnn {
    private ElementwiseOneDnn() {}

    /** @param b second input, or null */
    public static Contender of(String op, Tensor a, Tensor b, Tensor y) {
        return switch (op) {
            case "add" -> binary(dnnl.algorithm.binary_add, a, b, false, y);
            case "multiply" -> binary(dnnl.algorithm.binary_mul, a, b, false, y);
            case "bias" -> binary(dnnl.algorithm.binary_add, a, b, true, y);
            case "scale" -> eltwise(dnnl.algorithm.eltwise_linear, 0.75f, a, y);
            case "relu" -> eltwise(dnnl.algorithm.eltwise_relu, 0, a, y);
            case "gelu" -> eltwise(dnnl.algorithm.eltwise_gelu_tanh, 0, a, y);
            case "sigmoid" -> eltwise(dnnl.algorithm.eltwise_logistic, 0, a, y);
            case "tanh" -> eltwise(dnnl.algorithm.eltwise_tanh, 0, a, y);
            default -> throw new Unavailable("onednn has no " + op + " here", null);
        };
    }

    private static Contender binary(dnnl.algorithm algorithm, Tensor a, Tensor b, boolean broadcast, Tensor y) {
        memory.desc full = plain(a);
        memory.desc second = broadcast ? OneDnn.plain(new long[] {1, b.size(0)}, memory.format_tag.ab) : full;
        binary.primitive_desc description = new binary.primitive_desc(OneDnn.CPU, algorithm, full, second, full);
        return new OneDnn()
                .input(dnnl.DNNL_ARG_SRC_0, a, full, full)
                .input(dnnl.DNNL_ARG_SRC_1, b, second, second)
                .output(dnnl.DNNL_ARG_DST, y, full, full)
                .of(new binary(description));
    }

    private static Contender eltwise(dnnl.algorithm algorithm, float alpha, Tensor a, Tensor y) {
        memory.desc full = plain(a);
        eltwise_forward.primitive_desc description = new eltwise_forward.primitive_desc(
                OneDnn.CPU, dnnl.prop_kind.forward_training, algorithm, full, full, alpha);
        return new OneDnn()
                .input(dnnl.DNNL_ARG_SRC, a, full, full)
                .output(dnnl.DNNL_ARG_DST, y, full, full)
                .of(new eltwise_forward(description));
    }

    private static memory.desc plain(Tensor tensor) {
        return OneDnn.plain(new long[] {tensor.size(0), tensor.size(1)}, memory.format_tag.ab);
    }
}
