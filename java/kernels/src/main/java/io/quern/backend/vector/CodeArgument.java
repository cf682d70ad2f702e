package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import java.lang.foreign.ValueLayout;

/** The numbers of a call of machine code, in memory that its only argument, in rdi, is the address of. */
final class CodeArgument {
    private CodeArgument() {}

    static void set(long at, long value) {
        ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, at, value);
    }

    static void setInt(long at, int value) {
        ALL.set(ValueLayout.JAVA_INT_UNALIGNED, at, value);
    }

    /** Where the code finds the number at an offset. */
    static Address argument(int offset) {
        return Address.of(VectorAssembler.RDI, offset);
    }
}
