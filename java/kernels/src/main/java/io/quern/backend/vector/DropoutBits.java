package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.OR;
import static jdk.incubator.vector.VectorOperators.ULT;
import static jdk.incubator.vector.VectorOperators.XOR;

import io.quern.op.DropoutMask;
import io.quern.tensor.Philox;
import io.quern.tensor.Rng;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * What dropout drops, as bits, for 512-bit vectors: one Philox block of eight draws per 64-bit lane, as in {@link PhiloxVector}.
 *
 * <p>Of a block's counter only the lowest word differs from that of its neighbours, and a round mixes two words with two, so
 * half of the first two rounds is the same for all blocks and done before the loop. Four chains of rounds side by side: one
 * alone would leave the multipliers waiting. Rounds in pairs, so that a product stays in its register until it is mixed in.
 */
final class DropoutBits {
    private static final VectorSpecies<Long> L = LongVector.SPECIES_PREFERRED.withShape(Lanes.F.vectorShape());
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final long LOW = 0xffffffffL;
    /** Where the first four draws of each block go. */
    private static final long FRONT = 0x0f0f0f0f0f0f0f0fL;
    /** Elements whose blocks share all words of the counter but the lowest, as a power of two. */
    private static final int SHARING = 35;

    /** Elements per vector of blocks, and bits per word. */
    static final int GROUP = PhiloxVector.GROUP;

    private static final int CHAINS = 4;

    private DropoutBits() {}

    /** Whether {@link #fill} can do the elements from first to last. */
    static boolean covers(long first, long last) {
        return Rows.MASKS && (first & 7) == 0 && first >>> SHARING == last >>> SHARING;
    }

    /** Bytes for so many elements, a multiple of {@link #GROUP}. */
    static long bytes(long elements) {
        return (elements / GROUP + CHAINS - 1) / CHAINS * CHAINS * Long.BYTES;
    }

    /**
     * Bit j of row i is set where element {@code first + i along + j} is dropped; rows follow each other without gaps.
     *
     * @param first a multiple of 8
     * @param along from row to row, a multiple of 8
     * @param columns a multiple of {@link #GROUP}
     * @param bits address of {@link #bytes} for all rows
     */
    static void fill(DropoutMask mask, long first, long along, int rows, int columns, long bits) {
        Rng rng = mask.rng();
        short limit = (short) mask.threshold();
        long seed0 = rng.seed() & LOW, seed1 = rng.seed() >>> 32;
        // round 1 takes (block, high, step, stream) to (word0, word1, hi(M0 block) ^ stream ^ seed1, lo(M0 block))
        long product = (Philox.M1 & LOW) * (rng.step() & LOW);
        long word0 = product >>> 32 ^ first >>> SHARING ^ seed0, word1 = product & LOW;
        // round 2 then needs only the product of what has become of the block
        long half = (Philox.M0 & LOW) * word0;
        LongVector mix1 = LongVector.broadcast(L, rng.stream() & LOW ^ seed1);
        LongVector mix0 = LongVector.broadcast(L, word1 ^ seed0 + Philox.W0);
        LongVector mix2 = LongVector.broadcast(L, half >>> 32 ^ seed1 + Philox.W1);
        LongVector word3 = LongVector.broadcast(L, half);
        LongVector key0 = LongVector.broadcast(L, seed0 + 2L * Philox.W0);
        LongVector key1 = LongVector.broadcast(L, seed1 + 2L * Philox.W1);
        LongVector lane = LongVector.zero(L).addIndex(1);
        // and(LOW) of both factors is what C2 knows a multiplication of 32 bits by
        LongVector m0 = LongVector.broadcast(L, Philox.M0 & LOW).and(LOW);
        LongVector m1 = LongVector.broadcast(L, Philox.M1 & LOW).and(LOW);
        int perRow = columns / GROUP, groups = rows * perRow, left = perRow;
        long gap = along - columns, at = first;
        for (int g = 0; g < groups; g += CHAINS) {
            // lowest words of the counters of four groups' first blocks; garbage behind the last group
            long a = at >>> 3;
            at += GROUP;
            if (--left == 0) {
                at += gap;
                left = perRow;
            }
            long b = at >>> 3;
            at += GROUP;
            if (--left == 0) {
                at += gap;
                left = perRow;
            }
            long c = at >>> 3;
            at += GROUP;
            if (--left == 0) {
                at += gap;
                left = perRow;
            }
            long d = at >>> 3;
            at += GROUP;
            if (--left == 0) {
                at += gap;
                left = perRow;
            }
            // what the vectors of words 3 and 1 have above 32 bits, being products, is not of the word, nor of 0 and 2
            LongVector a3 = lane.add(a).and(LOW).mul(m0);
            LongVector b3 = lane.add(b).and(LOW).mul(m0);
            LongVector c3 = lane.add(c).and(LOW).mul(m0);
            LongVector d3 = lane.add(d).and(LOW).mul(m0);
            LongVector a1 = a3.lanewise(LSHR, 32).lanewise(XOR, mix1).and(LOW).mul(m1);
            LongVector b1 = b3.lanewise(LSHR, 32).lanewise(XOR, mix1).and(LOW).mul(m1);
            LongVector c1 = c3.lanewise(LSHR, 32).lanewise(XOR, mix1).and(LOW).mul(m1);
            LongVector d1 = d3.lanewise(LSHR, 32).lanewise(XOR, mix1).and(LOW).mul(m1);
            LongVector a0 = a1.lanewise(LSHR, 32).lanewise(XOR, mix0);
            LongVector b0 = b1.lanewise(LSHR, 32).lanewise(XOR, mix0);
            LongVector c0 = c1.lanewise(LSHR, 32).lanewise(XOR, mix0);
            LongVector d0 = d1.lanewise(LSHR, 32).lanewise(XOR, mix0);
            LongVector a2 = a3.lanewise(XOR, mix2);
            LongVector b2 = b3.lanewise(XOR, mix2);
            LongVector c2 = c3.lanewise(XOR, mix2);
            LongVector d2 = d3.lanewise(XOR, mix2);
            a3 = b3 = c3 = d3 = word3;
            LongVector k0 = key0, k1 = key1;
            for (int round = 2; round < Philox.ROUNDS; round += 2) {
                LongVector ap = a2.and(LOW).mul(m1), aq = a0.and(LOW).mul(m0);
                a0 = ap.lanewise(LSHR, 32).lanewise(XOR, a1.lanewise(XOR, k0));
                a2 = aq.lanewise(LSHR, 32).lanewise(XOR, a3.lanewise(XOR, k1));
                LongVector bp = b2.and(LOW).mul(m1), bq = b0.and(LOW).mul(m0);
                b0 = bp.lanewise(LSHR, 32).lanewise(XOR, b1.lanewise(XOR, k0));
                b2 = bq.lanewise(LSHR, 32).lanewise(XOR, b3.lanewise(XOR, k1));
                LongVector cp = c2.and(LOW).mul(m1), cq = c0.and(LOW).mul(m0);
                c0 = cp.lanewise(LSHR, 32).lanewise(XOR, c1.lanewise(XOR, k0));
                c2 = cq.lanewise(LSHR, 32).lanewise(XOR, c3.lanewise(XOR, k1));
                LongVector dp = d2.and(LOW).mul(m1), dq = d0.and(LOW).mul(m0);
                d0 = dp.lanewise(LSHR, 32).lanewise(XOR, d1.lanewise(XOR, k0));
                d2 = dq.lanewise(LSHR, 32).lanewise(XOR, d3.lanewise(XOR, k1));
                k0 = k0.add(Philox.W0);
                k1 = k1.add(Philox.W1);
                a1 = a2.and(LOW).mul(m1);
                a3 = a0.and(LOW).mul(m0);
                a0 = a1.lanewise(LSHR, 32).lanewise(XOR, ap.lanewise(XOR, k0));
                a2 = a3.lanewise(LSHR, 32).lanewise(XOR, aq.lanewise(XOR, k1));
                b1 = b2.and(LOW).mul(m1);
                b3 = b0.and(LOW).mul(m0);
                b0 = b1.lanewise(LSHR, 32).lanewise(XOR, bp.lanewise(XOR, k0));
                b2 = b3.lanewise(LSHR, 32).lanewise(XOR, bq.lanewise(XOR, k1));
                c1 = c2.and(LOW).mul(m1);
                c3 = c0.and(LOW).mul(m0);
                c0 = c1.lanewise(LSHR, 32).lanewise(XOR, cp.lanewise(XOR, k0));
                c2 = c3.lanewise(LSHR, 32).lanewise(XOR, cq.lanewise(XOR, k1));
                d1 = d2.and(LOW).mul(m1);
                d3 = d0.and(LOW).mul(m0);
                d0 = d1.lanewise(LSHR, 32).lanewise(XOR, dp.lanewise(XOR, k0));
                d2 = d3.lanewise(LSHR, 32).lanewise(XOR, dq.lanewise(XOR, k1));
                k0 = k0.add(Philox.W0);
                k1 = k1.add(Philox.W1);
            }
            long to = bits + 8L * g & Lanes.ADDRESS;
            long a01 = a0.and(LOW)
                    .lanewise(OR, a1.lanewise(LSHL, 32))
                    .reinterpretAsShorts()
                    .compare(ULT, limit)
                    .toLong();
            long a23 = a2.and(LOW)
                    .lanewise(OR, a3.lanewise(LSHL, 32))
                    .reinterpretAsShorts()
                    .compare(ULT, limit)
                    .toLong();
            ALL.set(WORD, to, Long.expand(a01, FRONT) | Long.expand(a23, ~FRONT));
            long b01 = b0.and(LOW)
                    .lanewise(OR, b1.lanewise(LSHL, 32))
                    .reinterpretAsShorts()
                    .compare(ULT, limit)
                    .toLong();
            long b23 = b2.and(LOW)
                    .lanewise(OR, b3.lanewise(LSHL, 32))
                    .reinterpretAsShorts()
                    .compare(ULT, limit)
                    .toLong();
            ALL.set(WORD, to + 8, Long.expand(b01, FRONT) | Long.expand(b23, ~FRONT));
            long c01 = c0.and(LOW)
                    .lanewise(OR, c1.lanewise(LSHL, 32))
                    .reinterpretAsShorts()
                    .compare(ULT, limit)
                    .toLong();
            long c23 = c2.and(LOW)
                    .lanewise(OR, c3.lanewise(LSHL, 32))
                    .reinterpretAsShorts()
                    .compare(ULT, limit)
                    .toLong();
            ALL.set(WORD, to + 16, Long.expand(c01, FRONT) | Long.expand(c23, ~FRONT));
            long d01 = d0.and(LOW)
                    .lanewise(OR, d1.lanewise(LSHL, 32))
                    .reinterpretAsShorts()
                    .compare(ULT, limit)
                    .toLong();
            long d23 = d2.and(LOW)
                    .lanewise(OR, d3.lanewise(LSHL, 32))
                    .reinterpretAsShorts()
                    .compare(ULT, limit)
                    .toLong();
            ALL.set(WORD, to + 24, Long.expand(d01, FRONT) | Long.expand(d23, ~FRONT));
        }
    }
}
