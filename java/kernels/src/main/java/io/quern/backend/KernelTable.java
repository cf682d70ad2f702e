package io.quern.backend;

import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.op.Ops;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * The kernels of a host backend. What it lacks runs as reference, in the same memory; {@link #missing} and
 * {@link #covers} tell a test or {@code doctor}.
 */
public final class KernelTable {
    private final Map<Op<?>, Kernel<?>> kernels = new IdentityHashMap<>();

    /** An empty table: everything runs as reference. */
    public KernelTable() {}

    public <A extends OpArgs> KernelTable put(Op<A> op, Kernel<A> kernel) {
        kernels.put(op, kernel);
        return this;
    }

    public <A extends OpArgs> void run(Op<A> op, A args) {
        @SuppressWarnings("unchecked")
        Kernel<A> kernel = (Kernel<A>) kernels.get(op);
        if (kernel != null && kernel.supports(args)) {
            kernel.run(args);
        } else {
            op.reference(args);
        }
    }

    /** True when this very call would run on a kernel rather than on the reference. */
    public <A extends OpArgs> boolean covers(Op<A> op, A args) {
        @SuppressWarnings("unchecked")
        Kernel<A> kernel = (Kernel<A>) kernels.get(op);
        return kernel != null && kernel.supports(args);
    }

    /** Catalogue ops without a kernel here. */
    public List<Op<?>> missing() {
        return Ops.ALL.stream().filter(op -> !kernels.containsKey(op)).toList();
    }
}
