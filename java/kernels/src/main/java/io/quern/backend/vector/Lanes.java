package io.quern.backend.vector;

import io.quern.tensor.ArgumentException;
import java.nio.ByteOrder;
import java.util.Locale;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** The vector width of this JVM: the machine's preferred one, or {@code -Dquern.vector.bits=128|256|512}. */
final class Lanes {
    static final VectorSpecies<Float> F = choose();
    static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED.withShape(F.vectorShape());
    /** Floats per vector. */
    static final int FLOATS = F.length();
    /** Bytes per vector. */
    static final int BYTES = F.vectorByteSize();

    /** Vector registers: AVX-512 and NEON have 32, which C2 then uses for narrow vectors too; older x86 has 16. */
    static final int REGISTERS = FloatVector.SPECIES_PREFERRED.vectorBitSize() >= 512
                    || System.getProperty("os.arch").toLowerCase(Locale.ROOT).contains("aarch64")
            ? 32
            : 16;

    /**
     * {@code address & ADDRESS} tells C2 what it cannot know: an address is not negative. The bounds check against the
     * whole-memory segment then folds at compile time, in any loop form.
     */
    static final long ADDRESS = (1L << 56) - 1;
    /** The same for what is added to an address, so that the sum does not overflow. */
    static final long OFFSET = (1L << 40) - 1;
    /** The same for what is below 2 GiB: C2 takes an int into a load's address, so that no instruction adds it. */
    static final long NEAR = Integer.MAX_VALUE;

    /** Bytes of a cache line. */
    static final long LINE = 64;

    static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private Lanes() {}

    private static VectorSpecies<Float> choose() {
        Integer bits = Integer.getInteger("quern.vector.bits");
        if (bits == null) {
            return FloatVector.SPECIES_PREFERRED;
        }
        if (bits != 128 && bits != 256 && bits != 512) {
            throw new ArgumentException("quern.vector.bits is " + bits + ", expected 128, 256 or 512");
        }
        return FloatVector.SPECIES_PREFERRED.withShape(VectorShape.forBitSize(bits));
    }
}
