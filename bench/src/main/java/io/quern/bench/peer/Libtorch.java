package io.quern.bench.peer;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.LongArrayRef;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Views of the shared memory as libtorch's tensors. */
final class Libtorch {
    private static final List<LongPointer> KEPT = new ArrayList<>();

    private Libtorch() {}

    static Tensor over(io.quern.tensor.Tensor tensor) {
        long[] shape = new long[tensor.rank()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = tensor.size(i);
        }
        return torch.from_blob(new NativeFloats(tensor), shape);
    }

    /** A list that refers to memory of its own, kept for the process: LongArrayRef alone does not hold what it shows. */
    static LongArrayRef longs(long... values) {
        LongPointer memory = new LongPointer(values);
        KEPT.add(memory);
        return new LongArrayRef(memory, values.length);
    }
}
