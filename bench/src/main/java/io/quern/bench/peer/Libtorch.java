package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.bytedeco.javacpp.BoolPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.LongArrayRef;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Views of the shared memory as libtorch's tensors, and calls of its functions as contenders. */
final class Libtorch {
    private static final List<Pointer> KEPT = new ArrayList<>();

    private Libtorch() {}

    static Tensor over(io.quern.tensor.Tensor tensor) {
        long[] shape = new long[tensor.rank()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = tensor.size(i);
        }
        return torch.from_blob(new NativeFloats(tensor), shape, torch.dtype(type(tensor.dtype())));
    }

    private static torch.ScalarType type(DType dtype) {
        return switch (dtype) {
            case F32 -> torch.ScalarType.Float;
            case F64 -> torch.ScalarType.Double;
            case BF16 -> torch.ScalarType.BFloat16;
            case I32 -> torch.ScalarType.Int;
        };
    }

    /** An NHWC tensor as libtorch sees it: extents NCHW, memory format channels-last. */
    static Tensor image(io.quern.tensor.Tensor nhwc) {
        return over(nhwc).permute(0, 3, 1, 2);
    }

    /** Labels as libtorch wants them: a copy in 64 bits. */
    static Tensor classes(io.quern.tensor.Tensor labels) {
        int[] values = labels.toInts();
        LongPointer memory = new LongPointer(values.length);
        KEPT.add(memory);
        for (int i = 0; i < values.length; i++) {
            memory.put(i, values[i]);
        }
        return torch.from_blob(memory, new long[] {values.length}, torch.dtype(torch.ScalarType.Long));
    }

    /** A list that refers to memory of its own, kept for the process: LongArrayRef alone does not hold what it shows. */
    static LongArrayRef longs(long... values) {
        LongPointer memory = new LongPointer(values);
        KEPT.add(memory);
        return new LongArrayRef(memory, values.length);
    }

    /** The mask that asks for all three gradients. */
    static BoolPointer all() {
        BoolPointer mask = new BoolPointer(3);
        for (int i = 0; i < 3; i++) {
            mask.put(i, true);
        }
        return mask;
    }

    /** A function that writes to the shared memory and returns references to it. */
    static Contender writing(Supplier<? extends Pointer> call) {
        return () -> call.get().close();
    }

    /** A function that allocates its result; {@code shared} receives the last one when it is wanted. */
    static Contender allocating(Supplier<Tensor> call, io.quern.tensor.Tensor shared) {
        return allocating(call, over(shared));
    }

    static Contender allocating(Supplier<Tensor> call, Tensor shared) {
        return holding(call, tensor -> tensor, shared);
    }

    /** A function that allocates a pair, of which the first is the result. */
    static Contender first(Supplier<T_TensorTensor_T> call, io.quern.tensor.Tensor result) {
        return holding(call, pair -> pair.get0(), over(result));
    }

    /** A function that allocates several tensors, of which one is the result. */
    static <P extends Pointer> Contender holding(Supplier<P> call, Function<P, Tensor> result, Tensor shared) {
        return new Contender() {
            private P last;

            @Override
            public void run() {
                close();
                last = call.get();
            }

            @Override
            public void publish() {
                shared.copy_(result.apply(last)); // returns shared itself, which stays open
            }

            @Override
            public void close() {
                if (last != null) {
                    last.close();
                }
            }
        };
    }
}
