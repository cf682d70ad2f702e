package io.quern.op;

/** How {@link Reduce} combines elements. */
public enum ReduceKind {
    SUM,
    MEAN,
    /** NaN if any element is NaN. */
    MAX
}
