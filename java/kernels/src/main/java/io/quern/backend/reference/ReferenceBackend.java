package io.quern.backend.reference;

import io.quern.backend.HostBackend;
import io.quern.backend.KernelTable;
import io.quern.backend.WorkerPool;

/** Runs every op as its own definition. */
public final class ReferenceBackend extends HostBackend {
    public ReferenceBackend(int threads) {
        super("reference", "plain loops in double, one thread", new KernelTable(), new WorkerPool(1));
    }
}
