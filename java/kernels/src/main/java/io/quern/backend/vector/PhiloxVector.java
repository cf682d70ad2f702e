package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ULT;
import static jdk.incubator.vector.VectorOperators.XOR;

import io.quern.tensor.Philox;
import io.quern.tensor.Rng;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/** The draws of {@link Rng}, one Philox block per 64-bit lane. */
final class PhiloxVector {
    private static final VectorSpecies<Long> L = LongVector.SPECIES_PREFERRED.withShape(Lanes.F.vectorShape());
    private static final int BLOCKS = L.length();
    private static final long LOW = 0xffffffffL;

    /** 16-bit draws per step of the loop: {@link #bits16} writes a multiple of this. */
    static final int GROUP = 8 * BLOCKS;

    /** Elements per step of {@link #drop}. */
    static final int PAIR = 2 * GROUP;

    private PhiloxVector() {}

    /**
     * Writes the 16-bit draws {@code from} up to {@code from + count}, and further ones up to a multiple of
     * {@link #GROUP}.
     *
     * @param from a multiple of 8, the draws of one Philox block
     * @param target address of the draws as 16-bit integers
     */
    static void bits16(Rng rng, long from, int count, long target) {
        LongVector lane = LongVector.zero(L).addIndex(1);
        LongVector first = lane.add(from >>> 3);
        LongVector step = LongVector.broadcast(L, rng.step());
        LongVector stream = LongVector.broadcast(L, rng.stream());
        LongVector key0 = LongVector.broadcast(L, (int) rng.seed());
        LongVector key1 = LongVector.broadcast(L, (int) (rng.seed() >>> 32));
        // pairs of 32-bit lanes, from two vectors by turns: words 0 and 1 of a block, then its words 2 and 3. C2 has no
        // instruction that selects from two lanes of 64 bits
        IntVector word = IntVector.zero(Lanes.I).addIndex(1);
        IntVector lower = word.lanewise(LSHR, 2)
                .lanewise(LSHL, 1)
                .add(word.and(1))
                .add(word.lanewise(LSHR, 1).and(1).mul(2 * BLOCKS));
        IntVector upper = lower.add(BLOCKS);
        // C2 turns a 64-bit product into the one-instruction 32-bit one when it sees both factors masked
        LongVector m0 = LongVector.broadcast(L, Philox.M0).and(LOW);
        LongVector m1 = LongVector.broadcast(L, Philox.M1).and(LOW);
        for (int i = 0; i < count; i += GROUP) {
            // words live in the low halves of their lanes; the high halves hold whatever the steps leave there
            LongVector c0 = first.add(i >>> 3);
            LongVector c1 = c0.lanewise(LSHR, 32);
            LongVector c2 = step;
            LongVector c3 = stream;
            LongVector k0 = key0;
            LongVector k1 = key1;
            for (int round = 0; round < Philox.ROUNDS; round++) {
                LongVector p0 = c0.and(LOW).mul(m0);
                LongVector p1 = c2.and(LOW).mul(m1);
                // what does not wait for the products first
                c0 = p1.lanewise(LSHR, 32).lanewise(XOR, c1.lanewise(XOR, k0));
                c2 = p0.lanewise(LSHR, 32).lanewise(XOR, c3.lanewise(XOR, k1));
                c1 = p1;
                c3 = p0;
                k0 = k0.add(Philox.W0);
                k1 = k1.add(Philox.W1);
            }
            IntVector front = c0.and(LOW).or(c1.lanewise(LSHL, 32)).reinterpretAsInts();
            IntVector back = c2.and(LOW).or(c3.lanewise(LSHL, 32)).reinterpretAsInts();
            long at = target + 2L * i;
            lower.selectFrom(front, back).intoMemorySegment(ALL, at, Lanes.ORDER);
            upper.selectFrom(front, back).intoMemorySegment(ALL, at + Lanes.BYTES, Lanes.ORDER);
        }
    }

    /**
     * y = scale x where the draw is not below the limit, else 0, for elements {@code from} up to {@code from + count} of
     * 512-bit vectors. Draws, x and y in one loop, so that memory works while the draws are computed.
     *
     * @param from a multiple of 8
     * @param count a multiple of {@link #PAIR}
     * @param limit as an unsigned 16-bit integer
     */
    static void drop(Rng rng, long from, int count, long x, long y, short limit, float scale) {
        LongVector lane = LongVector.zero(L).addIndex(1);
        LongVector first = lane.add(from >>> 3);
        LongVector step = LongVector.broadcast(L, rng.step());
        LongVector stream = LongVector.broadcast(L, rng.stream());
        LongVector key0 = LongVector.broadcast(L, (int) rng.seed());
        LongVector key1 = LongVector.broadcast(L, (int) (rng.seed() >>> 32));
        // alternating lanes of two vectors: words 0 and 1 of a block, then its words 2 and 3
        LongVector lower = lane.lanewise(LSHR, 1).add(lane.and(1).mul(BLOCKS));
        LongVector upper = lower.add(BLOCKS / 2);
        // C2 turns a 64-bit product into the one-instruction 32-bit one when it sees both factors masked
        LongVector m0 = LongVector.broadcast(L, Philox.M0).and(LOW);
        LongVector m1 = LongVector.broadcast(L, Philox.M1).and(LOW);
        for (int i = 0; i < count; i += PAIR) {
            // two chains of rounds: one alone leaves the multipliers waiting
            LongVector a0 = first.add(i >>> 3);
            LongVector a1 = a0.lanewise(LSHR, 32);
            LongVector a2 = step;
            LongVector a3 = stream;
            LongVector b0 = a0.add(BLOCKS);
            LongVector b1 = b0.lanewise(LSHR, 32);
            LongVector b2 = step;
            LongVector b3 = stream;
            LongVector k0 = key0;
            LongVector k1 = key1;
            for (int round = 0; round < Philox.ROUNDS; round++) {
                LongVector p0 = a0.and(LOW).mul(m0);
                LongVector q0 = b0.and(LOW).mul(m0);
                LongVector p1 = a2.and(LOW).mul(m1);
                LongVector q1 = b2.and(LOW).mul(m1);
                a0 = p1.lanewise(LSHR, 32).lanewise(XOR, a1.lanewise(XOR, k0));
                b0 = q1.lanewise(LSHR, 32).lanewise(XOR, b1.lanewise(XOR, k0));
                a2 = p0.lanewise(LSHR, 32).lanewise(XOR, a3.lanewise(XOR, k1));
                b2 = q0.lanewise(LSHR, 32).lanewise(XOR, b3.lanewise(XOR, k1));
                a1 = p1;
                b1 = q1;
                a3 = p0;
                b3 = q0;
                k0 = k0.add(Philox.W0);
                k1 = k1.add(Philox.W1);
            }
            LongVector front = a0.and(LOW).or(a1.lanewise(LSHL, 32));
            LongVector back = a2.and(LOW).or(a3.lanewise(LSHL, 32));
            long drop = lower.selectFrom(front, back)
                    .reinterpretAsShorts()
                    .compare(ULT, limit)
                    .toLong();
            drop |= upper.selectFrom(front, back)
                            .reinterpretAsShorts()
                            .compare(ULT, limit)
                            .toLong()
                    << GROUP / 2;
            front = b0.and(LOW).or(b1.lanewise(LSHL, 32));
            back = b2.and(LOW).or(b3.lanewise(LSHL, 32));
            long next = lower.selectFrom(front, back)
                    .reinterpretAsShorts()
                    .compare(ULT, limit)
                    .toLong();
            next |= upper.selectFrom(front, back)
                            .reinterpretAsShorts()
                            .compare(ULT, limit)
                            .toLong()
                    << GROUP / 2;
            for (int part = 0; part < PAIR; part += Lanes.FLOATS) {
                long at = 4L * (i + part);
                FloatVector.fromMemorySegment(Lanes.F, ALL, x + at, Lanes.ORDER)
                        .mul(scale)
                        .blend(0f, VectorMask.fromLong(Lanes.F, drop & 0xffff))
                        .intoMemorySegment(ALL, y + at, Lanes.ORDER);
                drop = part == GROUP - Lanes.FLOATS ? next : drop >>> Lanes.FLOATS;
            }
        }
    }
}
