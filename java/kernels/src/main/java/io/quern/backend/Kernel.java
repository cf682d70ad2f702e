package io.quern.backend;

import io.quern.op.OpArgs;

/**
 * One op made fast on one backend.
 *
 * @param <A> the op's arguments, already checked
 */
public interface Kernel<A extends OpArgs> {
    /** False for calls that this kernel leaves to the reference: other dtypes, strides it cannot walk. */
    boolean supports(A args);

    void run(A args);
}
