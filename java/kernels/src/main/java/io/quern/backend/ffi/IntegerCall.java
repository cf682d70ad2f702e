package io.quern.backend.ffi;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * A C function of up to six integers or addresses, all passed in registers, of which it reads as many as it has. One type
 * for all of them: the JVM builds one stub, not one per function. A record, whose handle the JIT compiler takes as constant where
 * the record is.
 */
record IntegerCall(MethodHandle handle) {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final FunctionDescriptor TYPE = FunctionDescriptor.of(LONG, LONG, LONG, LONG, LONG, LONG, LONG);

    /** True where arguments are passed as this class has them: 64-bit Linux. */
    static boolean works() {
        return System.getProperty("os.name").equals("Linux") && ValueLayout.ADDRESS.byteSize() == 8;
    }

    /** A function of the C library; empty if it has none of that name. */
    static Optional<IntegerCall> ofLibrary(String name) {
        return Linker.nativeLinker().defaultLookup().find(name).map(function -> at(function));
    }

    @SuppressWarnings("restricted")
    static IntegerCall at(MemorySegment function, Linker.Option... options) {
        return new IntegerCall(Linker.nativeLinker().downcallHandle(function, TYPE, options));
    }

    long call(long a, long b, long c, long d, long e, long f) {
        try {
            return (long) handle.invokeExact(a, b, c, d, e, f);
        } catch (Throwable failure) {
            throw new IllegalStateException("a call of native code failed", failure);
        }
    }
}
