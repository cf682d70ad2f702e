package io.quern.backend.ffi;

/**
 * An opaque handle of the CUDA driver: a type of its own for each kind, so that none passes for another. The compiler sees to
 * what holds them, {@link DriverCall#arguments} to what is called with them. Devices, which the driver numbers, are ints.
 */
public sealed interface DriverHandle {
    /** What the driver calls it; never 0. */
    long value();

    /** CUcontext */
    record Context(long value) implements DriverHandle {}

    /** CUstream */
    record Stream(long value) implements DriverHandle {}

    /** CUevent */
    record Event(long value) implements DriverHandle {}

    /** CUmemoryPool */
    record Pool(long value) implements DriverHandle {}

    /** CUlibrary */
    record Library(long value) implements DriverHandle {}

    /** CUkernel, of a library on any device */
    record Kernel(long value) implements DriverHandle {}

    /** CUfunction, of one context: what is launched */
    record Function(long value) implements DriverHandle {}

    /** CUgraph */
    record Graph(long value) implements DriverHandle {}

    /** CUgraphExec */
    record ExecutableGraph(long value) implements DriverHandle {}
}
