package io.quern.conformance;

import io.quern.op.Case;
import io.quern.op.Op;
import io.quern.tensor.DType;

/**
 * One check of one case: everything that is needed to run it again.
 *
 * @param threads worker threads of the backend
 */
record Variant(
        String backend,
        DType dtype,
        GuardedTensors.Layout layout,
        GuardedTensors.Values values,
        int threads,
        int seed) {

    static Variant plain(String backend, DType dtype) {
        return new Variant(backend, dtype, GuardedTensors.Layout.ALIGNED, GuardedTensors.Values.UNIFORM, 2, 1);
    }

    Variant layout(GuardedTensors.Layout newLayout) {
        return new Variant(backend, dtype, newLayout, values, threads, seed);
    }

    Variant special() {
        return new Variant(backend, dtype, layout, GuardedTensors.Values.SPECIAL, threads, seed);
    }

    Variant threads(int newThreads) {
        return new Variant(backend, dtype, layout, values, newThreads, seed);
    }

    Variant seed(int newSeed) {
        return new Variant(backend, dtype, layout, values, threads, newSeed);
    }

    /** The text that selects exactly this check with {@code -Dquern.check=...}. */
    String id(String kind, Op<?> op, Case<?> c) {
        return String.join(
                "|",
                kind,
                op.name(),
                c.label(),
                backend,
                dtype.name(),
                layout.name(),
                values.name(),
                "threads " + threads,
                "seed " + seed);
    }
}
