package io.quern.nn;

import io.quern.op.Packing;
import io.quern.tensor.Tensor;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * Where kernels keep the weights of a network packed ({@link Packing}) for as long as nothing changes them: the passes over
 * one data set. Close it before the next training step.
 */
public final class Packings implements AutoCloseable {
    private final Map<Tensor, Packing> packings = new IdentityHashMap<>();

    /** Always the same for the same tensor. */
    Packing of(Tensor weight) {
        return packings.computeIfAbsent(weight, key -> new Packing());
    }

    @Override
    public void close() {
        packings.values().forEach(Packing::close);
        packings.clear();
    }
}
