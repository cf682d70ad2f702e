package io.quern.backend.vector;

import jdk.incubator.vector.FloatVector;

/** Machine code for x86-64 with AVX-512: see {@link GemmCode}. All 32 vector registers; lanes of floats, and of other types. */
final class VectorAssembler extends MaskAssembler {
    /** Whether such code is wanted, and the machine has the instructions, which the JVM then uses as well. */
    static boolean isWanted() {
        return StreamCode.asked() && Lanes.BYTES == VECTOR && FloatVector.SPECIES_PREFERRED.vectorBitSize() == 512;
    }

    // floats

    void zero(int to) {
        registers(MAP_0F, PREFIX_66, 0xef, to, to, to); // vpxord
    }

    /** The lanes of the mask; others stay, and are not read. */
    void loadWhere(int to, Address from, int mask) {
        memory(MAP_0F, NO_PREFIX, 0x10, to, 0, from, VECTOR, 0, mask);
    }

    /** The lanes of the mask; others become zero, and are not read. */
    void loadOrZero(int to, Address from, int mask) {
        memory(MAP_0F, NO_PREFIX, 0x10, to, 0, from, VECTOR, ZEROING, mask);
    }

    void broadcast(int to, Address from) {
        memory(MAP_0F38, PREFIX_66, 0x18, to, 0, from, FLOAT, 0, 0); // vbroadcastss
    }

    void loadVector(int to, Address from) {
        memory(MAP_0F, NO_PREFIX, 0x10, to, 0, from, VECTOR, 0, 0); // vmovups
    }

    /** @param mask the lanes that are written; 0: all */
    void storeVector(int from, Address to, int mask) {
        memory(MAP_0F, NO_PREFIX, 0x11, from, 0, to, VECTOR, 0, mask);
    }

    /** The first lane. */
    void storeElement(int from, Address to) {
        memory(MAP_0F, PREFIX_F3, 0x11, from, 0, to, FLOAT, 0, 0); // vmovss
    }

    /** Past the caches, all lanes, to a whole cache line. */
    void streamVector(int from, Address to) {
        memory(MAP_0F, NO_PREFIX, 0x2b, from, 0, to, VECTOR, 0, 0); // vmovntps
    }

    /** Streamed vectors before what another thread is told. */
    void fence() {
        bytes(0x0f, 0xae, 0xf8); // sfence
    }

    /** to += a b. */
    void multiplyAdd(int to, int a, int b) {
        registers(MAP_0F38, PREFIX_66, 0xb8, to, a, b); // vfmadd231ps
    }

    /** to += a times a float in memory. */
    void multiplyAddElement(int to, int a, Address b) {
        memory(MAP_0F38, PREFIX_66, 0xb8, to, a, b, FLOAT, EACH, 0);
    }

    /** to -= a b. */
    void multiplySubtract(int to, int a, int b) {
        registers(MAP_0F38, PREFIX_66, 0xbc, to, a, b); // vfnmadd231ps
    }

    /** to -= a times a float in memory. */
    void multiplySubtractElement(int to, int a, Address b) {
        memory(MAP_0F38, PREFIX_66, 0xbc, to, a, b, FLOAT, EACH, 0);
    }

    /** to += a b, element by element. */
    void multiplyAddVector(int to, int a, Address b) {
        memory(MAP_0F38, PREFIX_66, 0xb8, to, a, b, VECTOR, 0, 0);
    }

    /** to = to a + b. */
    void multiplyThenAdd(int to, int a, Address b, int mask) {
        memory(MAP_0F38, PREFIX_66, 0xa8, to, a, b, VECTOR, 0, mask); // vfmadd213ps
    }

    /** to = to a + b. */
    void multiplyThenAdd(int to, int a, int b) {
        registers(MAP_0F38, PREFIX_66, 0xa8, to, a, b);
    }

    void subtractVectors(int to, int a, int b) {
        registers(MAP_0F, NO_PREFIX, 0x5c, to, a, b); // vsubps
    }

    void addVectors(int to, int a, int b) {
        registers(MAP_0F, NO_PREFIX, 0x58, to, a, b); // vaddps
    }

    void addVectors(int to, int a, Address b, int mask) {
        memory(MAP_0F, NO_PREFIX, 0x58, to, a, b, VECTOR, 0, mask);
    }

    /** The first eight lanes; the others become zero. */
    void addHalf(int to, int a, Address b) {
        memory(MAP_0F, NO_PREFIX, 0x58, to, a, b, VECTOR / 2, HALF, 0);
    }

    /** The first four. */
    void addQuarter(int to, int a, Address b) {
        memory(MAP_0F, NO_PREFIX, 0x58, to, a, b, VECTOR / 4, QUARTER, 0);
    }

    /** to = a > b ? a : b, so b where one is NaN or both are zero. */
    void greater(int to, int a, int b) {
        registers(MAP_0F, NO_PREFIX, 0x5f, to, a, b); // vmaxps
    }

    void multiply(int to, int a, int b) {
        registers(MAP_0F, NO_PREFIX, 0x59, to, a, b); // vmulps
    }

    void multiplyVector(int to, int a, Address b) {
        memory(MAP_0F, NO_PREFIX, 0x59, to, a, b, VECTOR, 0, 0);
    }

    /** to = a / b. */
    void divide(int to, int a, int b) {
        registers(MAP_0F, NO_PREFIX, 0x5e, to, a, b); // vdivps
    }

    void squareRoot(int to, int from) {
        registers(MAP_0F, NO_PREFIX, 0x51, to, 0, from); // vsqrtps
    }

    /** to = a b in the lanes of the mask, elsewhere 0. */
    void multiplyOrZero(int to, int a, int b, int mask) {
        registers(MAP_0F, NO_PREFIX, 0x59, to, a, b, ZEROING | mask);
    }

    /** to = a times a float in memory. */
    void multiplyElement(int to, int a, Address b) {
        memory(MAP_0F, NO_PREFIX, 0x59, to, a, b, FLOAT, EACH, 0);
    }

    /** to = a b in the lanes of the mask, elsewhere 0; other lanes of b are not read. */
    void multiplyOrZero(int to, int a, Address b, int mask) {
        memory(MAP_0F, NO_PREFIX, 0x59, to, a, b, VECTOR, ZEROING, mask);
    }

    /** to = to a + b in the lanes of the mask, elsewhere 0. */
    void multiplyThenAddOrZero(int to, int a, int b, int mask) {
        registers(MAP_0F38, PREFIX_66, 0xa8, to, a, b, ZEROING | mask);
    }

    /** Into the mask, where a is NaN or b is. */
    void eitherNaN(int mask, int a, int b) {
        compare(mask, a, b, 3, 0);
    }

    /** Into the mask, where neither a nor b is NaN. */
    void neitherNaN(int mask, int a, int b) {
        compare(mask, a, b, 7, 0);
    }

    /** to = by > to or by is NaN ? by : to, so the last NaN, or the first of equal ones; changes the mask. */
    void takeLarger(int to, int by, int spare) {
        eitherNaN(spare, by, by);
        greater(to, by, to);
        moveWhere(to, by, spare);
    }

    /** Leaves of the mask where not a >= b, so that what is NaN stays. */
    void andNotGreaterOrEqual(int mask, int a, int b) {
        compare(mask, a, b, 9, mask);
    }

    private void compare(int mask, int a, int b, int predicate, int under) {
        registers(MAP_0F, NO_PREFIX, 0xc2, mask, a, b, under); // vcmpps
        bytes(predicate);
    }

    /** to = from in the lanes of the mask, elsewhere 0. */
    void moveOrZero(int to, int from, int mask) {
        registers(MAP_0F, NO_PREFIX, 0x28, to, 0, from, ZEROING | mask); // vmovaps
    }

    /** To lane i lane i ^ distance, of 1, 2, 4 or 8. */
    void exchange(int to, int from, int distance) {
        if (distance < 4) {
            registers(MAP_0F, NO_PREFIX, 0xc6, to, from, from); // vshufps, within four lanes
            bytes(distance == 1 ? 0xb1 : 0x4e);
        } else {
            registers(MAP_0F3A, PREFIX_66, 0x23, to, from, from); // vshuff32x4, of four lanes each
            bytes(distance == 4 ? 0xb1 : 0x4e);
        }
    }

    /** The sum of all lanes to each of them: halves first, as {@link Rows#sum}. */
    void sumLanes(int vector, int spare) {
        for (int distance = 8; distance > 0; distance /= 2) {
            exchange(spare, vector, distance);
            addVectors(vector, vector, spare);
        }
    }

    /** The largest lane to each of them; no lane is NaN. */
    void largestLane(int vector, int spare) {
        for (int distance = 8; distance > 0; distance /= 2) {
            exchange(spare, vector, distance);
            greater(vector, spare, vector);
        }
    }

    /** Into the mask, where not a < b: also where one is NaN. */
    void compareNotLess(int mask, int a, int b) {
        compare(mask, a, b, 0x15, 0);
    }

    /** Into the mask, where a > b: not where one is NaN. */
    void compareGreater(int mask, int a, int b) {
        compare(mask, a, b, 0x0e, 0);
    }

    // lanes of 32 bits

    /** The smaller, both unsigned. */
    void lesserUnsigned(int to, int a, int b) {
        registers(MAP_0F38, PREFIX_66, 0x3b, to, a, b); // vpminud
    }

    void addInts(int to, int a, int b) {
        registers(MAP_0F, PREFIX_66, 0xfe, to, a, b); // vpaddd
    }

    void shiftIntsLeft(int to, int from, int bits) {
        registers(MAP_0F, PREFIX_66, 0x72, 6, to, from); // vpslld
        bytes(bits);
    }

    /** The lanes of two vectors that index names: of {@code to}, which they replace, and from sixteen on of {@code second}. */
    void selectFloats(int to, int index, int second) {
        registers(MAP_0F38, PREFIX_66, 0x7f, to, index, second); // vpermt2ps
    }

    // vectors of eight lanes, whose halves are of four

    /** As {@link #loadOrZero}. */
    void loadHalfOrZero(int to, Address from, int mask) {
        memory(MAP_0F, NO_PREFIX, 0x10, to, 0, from, VECTOR / 2, HALF | ZEROING, mask);
    }

    /** @param mask the lanes that are written; 0: all */
    void storeHalf(int from, Address to, int mask) {
        memory(MAP_0F, NO_PREFIX, 0x11, from, 0, to, VECTOR / 2, HALF, mask);
    }

    /** Four lanes; the others become zero. */
    void loadQuarter(int to, Address from) {
        memory(MAP_0F, NO_PREFIX, 0x10, to, 0, from, VECTOR / 4, QUARTER, 0);
    }

    /** Four lanes behind the first four. */
    void insertQuarter(int to, Address from) {
        memory(MAP_0F3A, PREFIX_66, 0x18, to, to, from, VECTOR / 4, HALF, 0); // vinsertf32x4
        bytes(1);
    }

    /** Of each four lanes of a and b the first two by turns, or the last two. */
    void interleave(int to, int a, int b, boolean last) {
        registers(MAP_0F, NO_PREFIX, last ? 0x15 : 0x14, to, a, b, HALF); // vunpckhps, vunpcklps
    }

    /** The same of pairs of lanes. */
    void interleavePairs(int to, int a, int b, boolean last) {
        registers(MAP_0F, PREFIX_66 | WIDE, last ? 0x15 : 0x14, to, a, b, HALF); // vunpckhpd, vunpcklpd
    }

    /** The first four lanes of a and b, or the last four. */
    void joinQuarters(int to, int a, int b, boolean last) {
        registers(MAP_0F3A, PREFIX_66, 0x23, to, a, b, HALF); // vshuff32x4
        bytes(last ? 3 : 0);
    }

    void xorVectors(int to, int a, int b) {
        registers(MAP_0F, PREFIX_66, 0xef, to, a, b); // vpxord
    }

    // doubles

    /** The doubles that eight floats in memory are. */
    void loadAsDoubles(int to, Address from) {
        memory(MAP_0F, NO_PREFIX, 0x5a, to, 0, from, VECTOR / 2, 0, 0); // vcvtps2pd
    }

    void addDoubles(int to, int a, int b) {
        registers(MAP_0F, PREFIX_66 | WIDE, 0x58, to, a, b); // vaddpd
    }

    void subtractDoubles(int to, int a, int b) {
        registers(MAP_0F, PREFIX_66 | WIDE, 0x5c, to, a, b); // vsubpd
    }

    /** to += a b. */
    void multiplyAddDoubles(int to, int a, int b) {
        registers(MAP_0F38, PREFIX_66 | WIDE, 0xb8, to, a, b); // vfmadd231pd
    }

    // lanes of 64 bits

    /** A long in memory for all lanes. */
    void broadcastLong(int to, Address from) {
        memory(MAP_0F38, PREFIX_66 | WIDE, 0x59, to, 0, from, LONG, 0, 0); // vpbroadcastq
    }

    /** to = the lower halves of a and b multiplied. */
    void multiplyHalves(int to, int a, int b) {
        registers(MAP_0F, PREFIX_66 | WIDE, 0xf4, to, a, b); // vpmuludq
    }

    void addLongs(int to, int a, Address each) {
        memory(MAP_0F, PREFIX_66 | WIDE, 0xd4, to, a, each, LONG, EACH, 0); // vpaddq
    }

    void shiftLongsRight(int to, int from, int bits) {
        registers(MAP_0F, PREFIX_66 | WIDE, 0x73, 2, to, from); // vpsrlq
        bytes(bits);
    }

    void shiftLongsLeft(int to, int from, int bits) {
        registers(MAP_0F, PREFIX_66 | WIDE, 0x73, 6, to, from); // vpsllq
        bytes(bits);
    }

    void xorLongs(int to, int a, Address each) {
        memory(MAP_0F, PREFIX_66 | WIDE, 0xef, to, a, each, LONG, EACH, 0); // vpxorq
    }

    /** to ^= a ^ b. */
    void xorBoth(int to, int a, Address each) {
        memory(MAP_0F3A, PREFIX_66 | WIDE, 0x25, to, a, each, LONG, EACH, 0); // vpternlogq
        bytes(0x96);
    }

    /** The lanes of two vectors that index names: of {@code to}, which they replace, and from eight on of {@code second}. */
    void selectLongs(int to, int index, int second) {
        registers(MAP_0F38, PREFIX_66 | WIDE, 0x7e, to, index, second); // vpermt2q
    }

    void moveVector(int to, int from) {
        registers(MAP_0F, NO_PREFIX, 0x28, to, 0, from); // vmovaps
    }

    /** to = from in the lanes of the mask, which are of 32 bits. */
    void moveWhere(int to, int from, int mask) {
        registers(MAP_0F, PREFIX_66, 0x6f, to, 0, from, mask); // vmovdqa32
    }

    // lanes of 16 bits

    /** A short in memory for all lanes. */
    void broadcastShort(int to, Address from) {
        memory(MAP_0F38, PREFIX_66, 0x79, to, 0, from, SHORT, 0, 0); // vpbroadcastw
    }

    /** Into the mask, of 32 bits, where a is not below b. */
    void shortsNotBelow(int mask, int a, int b) {
        registers(MAP_0F3A, PREFIX_66 | WIDE, 0x3e, mask, a, b); // vpcmpuw
        bytes(5);
    }

    /** Into the mask, of 32 bits, where a is below b. */
    void shortsBelow(int mask, int a, int b) {
        registers(MAP_0F3A, PREFIX_66 | WIDE, 0x3e, mask, a, b); // vpcmpuw
        bytes(1);
    }
}
