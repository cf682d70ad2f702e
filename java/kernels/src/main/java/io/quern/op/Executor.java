package io.quern.op;

import io.quern.tensor.Memory;
import java.util.Optional;

/** What can run ops: every backend. */
public interface Executor {
    /** Runs or queues the op; its Args were checked when they were made. */
    <A extends OpArgs> void run(Op<A> op, A args);

    /** Where this executor's tensors live. */
    Memory memory();

    /** Who runs repeated steps as a whole; empty where nothing is gained by it. The caller closes it. */
    default Optional<StepRepeater> repeater() {
        return Optional.empty();
    }
}
