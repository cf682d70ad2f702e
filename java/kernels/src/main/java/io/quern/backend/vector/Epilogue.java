package io.quern.backend.vector;

/** What happens to a finished block of C while it is in cache: bias, activation, dropout, a copy of the pre-activation. */
@FunctionalInterface
interface Epilogue {
    /**
     * Called once per element of C, after its last k block, from any thread.
     *
     * @param c address of element (row0, col0)
     * @param rowStrideBytes distance of two rows of C
     */
    void apply(long c, long rowStrideBytes, int row0, int rows, int col0, int cols);
}
