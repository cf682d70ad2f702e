package io.quern.backend.vector;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.ffi.MachineCode;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Assumptions;

/** Skips tests of machine code where there can be none. */
final class MachineCodeAssumption {
    private static final byte RETURN = (byte) 0xc3;

    private MachineCodeAssumption() {}

    /**
     * Fails where there can be machine code, but not the one under test.
     *
     * @param works asked only where there can be
     * @param what begins the reason
     */
    static void needs(BooleanSupplier works, String what) {
        Assumptions.assumeTrue(
                ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
                "the module jdk.incubator.vector is not loaded in this JVM");
        Assumptions.assumeTrue(
                VectorAssembler.isWanted()
                        && MachineCode.of(new byte[] {RETURN}).isPresent(),
                what + " in machine code need Linux on x86-64 with AVX-512, and 512-bit vectors");
        assertTrue(works.getAsBoolean(), what + " in machine code are not there, although others are");
    }
}
