package io.quern.backend.vector;

import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Assumptions;

/** Skips tests of machine code where there is none. */
final class MachineCodeAssumption {
    private MachineCodeAssumption() {}

    /**
     * @param works asked only where there are vectors
     * @param what begins the reason
     */
    static void needs(BooleanSupplier works, String what) {
        Assumptions.assumeTrue(
                ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
                "the module jdk.incubator.vector is not loaded in this JVM");
        Assumptions.assumeTrue(
                works.getAsBoolean(), what + " in machine code need Linux on x86-64 with AVX-512, and 512-bit vectors");
    }
}
