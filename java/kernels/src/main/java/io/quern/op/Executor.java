package io.quern.op;

import io.quern.tensor.Memory;

/** What can run ops: every backend. */
public interface Executor {
    /** Runs or queues the op; its Args were checked when they were made. */
    <A extends OpArgs> void run(Op<A> op, A args);

    /** Where this executor's tensors live. */
    Memory memory();
}
