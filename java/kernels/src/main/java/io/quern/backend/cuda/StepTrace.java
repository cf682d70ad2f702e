package io.quern.backend.cuda;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a step launches, for comparison with the next one. Numbers that may change from step to step are left out of the
 * comparison and collected: a captured graph reads them from device memory.
 */
final class StepTrace {
    /** What happens to launches meanwhile. */
    enum Mode {
        /** They are written down only: of an update, which may launch guarded kernels and nothing else. */
        DRY,
        /** They are written down only: of a whole step. */
        REHEARSED,
        /** They are launched as well. */
        OBSERVED,
        /** They become nodes of a graph. */
        CAPTURED
    }

    /** One entry: a launch, or a copy within the device. */
    private record Launched(String kernel, List<Integer> extents, ByteBuffer arguments) {}

    private final Mode mode;
    private final int number;
    private final List<Launched> launches = new ArrayList<>();
    private final List<float[]> changes = new ArrayList<>();
    private String obstacle;
    private boolean settled = true;
    private boolean guardable = true;

    /** @param number the step's, which generators of this step have */
    StepTrace(Mode mode, int number) {
        this.mode = mode;
        this.number = number;
    }

    boolean dry() {
        return mode == Mode.DRY || mode == Mode.REHEARSED;
    }

    boolean captured() {
        return mode == Mode.CAPTURED;
    }

    int number() {
        return number;
    }

    void launch(String kernel, List<Integer> extents, byte[] arguments, boolean guarded) {
        launches.add(new Launched(kernel, extents, ByteBuffer.wrap(arguments)));
        guardable &= guarded;
    }

    /** A copy within the device, which no guard keeps from happening. */
    void copy(long source, long target, long bytes) {
        if (mode == Mode.DRY) {
            hostAccess("the update copies");
        }
        launches.add(new Launched(
                "copy",
                List.of(),
                ByteBuffer.allocate(24)
                        .putLong(source)
                        .putLong(target)
                        .putLong(bytes)
                        .flip()));
    }

    /** Numbers of an update; returns the place of their entry. */
    int change(float[] values) {
        changes.add(values);
        return changes.size() - 1;
    }

    List<float[]> changes() {
        return changes;
    }

    /** Something that a graph cannot repeat: device memory is read by the host, or written with what only this step knows. */
    void hostAccess(String what) {
        if (obstacle == null) {
            obstacle = what;
        }
        if (mode != Mode.OBSERVED) {
            throw new NotRepeatable(what);
        }
    }

    /** Memory comes or goes: a later step may do without. */
    void allocation() {
        settled = false;
        setUp("memory is allocated or freed");
    }

    /** What the driver does once and for all, but not while it captures. */
    void setUp(String what) {
        if (mode != Mode.OBSERVED) {
            throw new NotRepeatable(what);
        }
    }

    /** Why no graph can repeat this step. */
    Optional<String> obstacle() {
        return Optional.ofNullable(obstacle);
    }

    /** False when the step allocated. */
    boolean settled() {
        return settled;
    }

    /** True when every launch can be kept from happening by a guard. */
    boolean guardable() {
        return guardable;
    }

    int size() {
        return launches.size();
    }

    boolean sameAs(StepTrace other) {
        return launches.equals(other.launches) && changes.size() == other.changes.size();
    }

    /** Leaves a capture or a dry run. */
    static final class NotRepeatable extends RuntimeException {
        private static final long serialVersionUID = 1;

        NotRepeatable(String what) {
            super("a step that was to be captured did what no graph can repeat: " + what, null, false, false);
        }
    }
}
