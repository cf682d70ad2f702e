package io.quern.backend.vector;

/** When the operands of a product are read where they lie, since packing them takes more time than it saves (bench/lab/matmul.md). */
final class GemmInPlace {
    /** Sides up to which an operand is read too seldom to be worth packing. */
    private static final int FEW = 64;
    /** Bytes of an operand that a cache holds with its gaps. */
    private static final int SMALL = 128 << 10;
    /** Bytes of two operands up to which both are read in place, by several threads and by one. */
    private static final long BOTH = 4800 << 10, BOTH_ALONE = 3400 << 10;

    private GemmInPlace() {}

    /** An operand of n rows or columns that is read too seldom to be worth packing, or stays in the caches as it lies. */
    static boolean fits(int passes, int n, int k) {
        return passes <= FEW || passes <= 4 * FEW && (long) n * k * Float.BYTES <= SMALL;
    }

    /**
     * Whether wide tiles that read both operands in place take less time than packing and tiles of whatever shape. Not for a part
     * of far wider rows of B, which may collide in the caches. One thread has no barrier to save, and packs more of them: B
     * whose rows are no whole cache lines apart, too, if it passes often.
     */
    static boolean both(int m, int n, int k, GemmPanels a, GemmPanels b, boolean alone) {
        boolean often = m >= GemmTile.LARGE;
        return (a.isWide() || a.isDeep())
                && b.isWide()
                && b.deep() <= 2L * Float.BYTES * n
                && (often ? GemmTile.of(m, n) == GemmTile.WIDE : GemmTile.isWideInPlace(m, n))
                && (long) Float.BYTES * k * ((long) m + n) <= (alone ? BOTH_ALONE : BOTH)
                && !(alone && often && b.deep() % ((long) Float.BYTES * Gemm.LINE) != 0);
    }
}
