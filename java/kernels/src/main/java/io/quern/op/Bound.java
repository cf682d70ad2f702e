package io.quern.op;

/** The allowed absolute difference between a kernel's output element and the reference's. */
@FunctionalInterface
public interface Bound {
    /**
     * @param output position in {@code args.outputs()}
     * @param index row-major rank of the element
     * @param reference the reference's value
     */
    double at(int output, long index, double reference);
}
