package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.Lanes.ADDRESS;
import static io.quern.backend.vector.Lanes.BYTES;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/**
 * The tile shape and one tile of C. The shape follows from the registers: {@code ROWS} x 2 vectors of sums, two vectors
 * of B and the broadcasts of A must fit with room to spare, because C2 lifts all loads of a step to its front.
 */
final class GemmTile {
    /** Rows of a tile and of a panel of A. */
    static final int ROWS = Lanes.REGISTERS >= 32 ? 8 : 6;
    /** Columns of a tile and of a panel of B: two vectors. */
    static final int COLUMNS = 2 * Lanes.FLOATS;
    /** Bytes of scratch that {@link #edge} needs. */
    static final int SCRATCH = ROWS * COLUMNS * Float.BYTES;

    private static final VectorSpecies<Float> S = Lanes.F;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final int FEW = 4;
    private static final int ONE = Float.floatToRawIntBits(1f);
    private static final long STRIDE = COLUMNS * Float.BYTES;

    private GemmTile() {}

    /** A full tile, straight into C. Strides are in bytes, {@code alpha} in int bits. */
    static void full(int kc, long a, long rs, long cs, long b, long bs, long c, long ldc, int alpha, boolean add) {
        if (ROWS == 8) {
            if (add) {
                GemmKernels.add8x2(kc, a, rs, cs, b, bs, c, ldc, alpha);
            } else {
                GemmKernels.set8x2(kc, a, rs, cs, b, bs, c, ldc, alpha);
            }
        } else {
            if (add) {
                GemmKernels16.add6x2(kc, a, rs, cs, b, bs, c, ldc, alpha);
            } else {
                GemmKernels16.set6x2(kc, a, rs, cs, b, bs, c, ldc, alpha);
            }
        }
    }

    /**
     * A tile at the border of C: the kernel fills a full tile in scratch, of which rows x columns go to C by the same
     * arithmetic as in {@link #full}. A and B must be readable (zero-padded panels) up to the full tile.
     */
    static void edge(
            int rows,
            int columns,
            int kc,
            long a,
            long rs,
            long cs,
            long b,
            long bs,
            long c,
            long ldc,
            int alpha,
            boolean add,
            long scratch) {
        if (columns > Lanes.FLOATS) {
            if (rows <= FEW) {
                GemmEdgeKernels.set4x2(kc, a, rs, cs, b, bs, scratch, STRIDE, ONE);
            } else {
                full(kc, a, rs, cs, b, bs, scratch, STRIDE, ONE, false);
            }
            merge(rows, Lanes.FLOATS, scratch, c, ldc, alpha, add);
            merge(rows, columns - Lanes.FLOATS, scratch + BYTES, c + BYTES, ldc, alpha, add);
        } else {
            if (rows <= FEW) {
                GemmEdgeKernels.set4x1(kc, a, rs, cs, b, bs, scratch, STRIDE, ONE);
            } else if (ROWS == 8) {
                GemmEdgeKernels.set8x1(kc, a, rs, cs, b, bs, scratch, STRIDE, ONE);
            } else {
                GemmEdgeKernels.set6x1(kc, a, rs, cs, b, bs, scratch, STRIDE, ONE);
            }
            merge(rows, columns, scratch, c, ldc, alpha, add);
        }
    }

    private static void merge(int rows, int columns, long from, long c, long ldc, int alpha, boolean add) {
        VectorMask<Float> some = S.indexInRange(0, columns);
        FloatVector s = FloatVector.broadcast(S, Float.intBitsToFloat(alpha));
        for (int i = 0; i < rows; i++, from += STRIDE, c += ldc) {
            from &= ADDRESS;
            c &= ADDRESS;
            FloatVector x = FloatVector.fromMemorySegment(S, ALL, from, ORDER);
            x = add ? x.fma(s, FloatVector.fromMemorySegment(S, ALL, c, ORDER, some)) : x.mul(s);
            x.intoMemorySegment(ALL, c, ORDER, some);
        }
    }
}
