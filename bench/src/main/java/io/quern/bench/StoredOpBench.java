package io.quern.bench;

import io.quern.tensor.Tensor;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/** An op that memory bounds, and what its large tensors are stored in: F32, or on a device also BF16. */
public abstract class StoredOpBench extends OpBench {
    /** {@code f32} or {@code bf16}; of the latter the host has no kernels. */
    @Param("f32")
    public String type;

    /** The contest with its large tensors in that dtype. */
    final Contest stored(Contest contest, Tensor... large) {
        return switch (type) {
            case "f32" -> contest;
            case "bf16" -> contest.inBf16(large);
            default -> throw new IllegalArgumentException("type is " + type + ", expected f32 or bf16");
        };
    }

    /** Bytes of an element of a row's large tensors. */
    static int bytes(Map<String, String> row) {
        return row.getOrDefault("type", "f32").equals("bf16") ? 2 : 4;
    }
}
