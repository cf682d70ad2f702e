package io.quern.backend;

import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.tensor.Memory;
import java.util.List;

/** A backend on host memory: a table of kernels over the reference, and a pool of workers. */
public class HostBackend implements Backend {
    private final String name;
    private final String description;
    private final KernelTable kernels;
    private final WorkerPool pool;

    public HostBackend(String name, String description, KernelTable kernels, WorkerPool pool) {
        this.name = name;
        this.description = description;
        this.kernels = kernels;
        this.pool = pool;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public <A extends OpArgs> void run(Op<A> op, A args) {
        kernels.run(op, args);
    }

    /** The kernels, for tests and {@code doctor}. */
    public KernelTable kernels() {
        return kernels;
    }

    @Override
    public List<Op<?>> withoutKernel() {
        return kernels.missing();
    }

    @Override
    public Memory memory() {
        return Memory.host();
    }

    @Override
    public int threads() {
        return pool.threads();
    }

    @Override
    public void close() {
        pool.close();
    }
}
