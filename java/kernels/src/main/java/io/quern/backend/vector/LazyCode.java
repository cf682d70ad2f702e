package io.quern.backend.vector;

import io.quern.backend.ffi.MachineCode;
import java.util.function.Supplier;

/**
 * Machine code that is made when first asked for, since most of a backend's kernels are never called. Like all such code it writes the bits
 * of the loop in Java, but for which of two NaN an operation passes on: that, the Java compiler is free to choose.
 */
final class LazyCode {
    /** True while there shall be none of these. Tests set it. */
    static boolean off;

    private final Supplier<MachineCode> make;
    private volatile MachineCode code;
    /** Another machine or system, one that does not execute what was written, or a JVM that shall not. */
    private volatile boolean refused = !VectorAssembler.isWanted();

    /** @param make gives null where the system refuses */
    LazyCode(Supplier<MachineCode> make) {
        this.make = make;
    }

    /** Null where there is none. */
    MachineCode get() {
        if (code == null && !refused) {
            // twice at worst, if two callers are first
            MachineCode made = make.get();
            if (made == null) {
                refused = true;
            } else {
                code = made;
            }
        }
        return off ? null : code;
    }
}
