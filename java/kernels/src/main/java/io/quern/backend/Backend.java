package io.quern.backend;

import io.quern.op.Executor;
import io.quern.op.Op;
import java.util.List;
import java.util.Optional;

/** A place to run ops: a set of kernels and the memory they work on. */
public interface Backend extends Executor, AutoCloseable {
    /** {@code cuda}, {@code vector}, {@code scalar}, {@code reference} or {@code cuda-sim}. */
    String name();

    /** One line for people: width, threads, and why this backend. */
    String description();

    /** Ops without a kernel of their own here: in host memory they run as reference, elsewhere they are an error. */
    List<Op<?>> withoutKernel();

    /** Worker threads including the caller. */
    int threads();

    /** Counts the energy of the device, where it does so itself; the caller closes the meter, before the backend. */
    default Optional<EnergyMeter> energy() {
        return Optional.empty();
    }

    @Override
    void close();
}
