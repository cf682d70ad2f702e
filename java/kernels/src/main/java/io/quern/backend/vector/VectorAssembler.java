package io.quern.backend.vector;

import io.quern.backend.ffi.MachineCode;
import java.io.ByteArrayOutputStream;
import java.util.HashMap;
import java.util.Map;
import jdk.incubator.vector.FloatVector;

/**
 * Machine code for x86-64 with AVX-512: see {@link GemmCode}. All 32 vector registers. Encodings: Intel 64 and IA-32
 * Architectures Software Developer's Manual, volume 2, chapters 2.1 (ModRM, SIB, REX) and 2.7 (EVEX).
 */
final class VectorAssembler {
    static final int RAX = 0, RCX = 1, RDX = 2, RBX = 3, RBP = 5, RSI = 6, RDI = 7, R8 = 8, R9 = 9, R10 = 10, R11 = 11;
    static final int R12 = 12, R13 = 13, R14 = 14, R15 = 15;
    /** No index in an address. */
    private static final int NONE = 4;
    /** What a prefetch has in place of a register: into all caches, into the second; for writing. */
    private static final int INTO_FIRST = 1, INTO_SECOND = 2, TO_WRITE = 1;

    private static final int MAP_0F = 1, MAP_0F38 = 2, MAP_0F3A = 3;
    private static final int NO_PREFIX = 0, PREFIX_66 = 1, PREFIX_F3 = 2, WIDE = 0x80;
    private static final int VECTOR = 64, LONG = 8, FLOAT = 4, SHORT = 2;
    /** Flags of a vector instruction: an element of memory for all lanes; lanes that the mask leaves out become zero. */
    private static final int EACH = 0x10, ZEROING = 0x80;
    /** The same, of a vector of eight lanes of 32 bits, and of four. */
    private static final int HALF = 0x60, QUARTER = 0x40;

    private final ByteArrayOutputStream code = new ByteArrayOutputStream();
    /** Where jumps ahead end, by where they are left: known when there is something to jump to. */
    private final Map<Integer, Integer> jumps = new HashMap<>();

    /** [base + index scale + offset], the index in bytes or absent. */
    record Address(int base, int index, int scale, int offset) {
        static Address of(int base, int offset) {
            return new Address(base, NONE, 1, offset);
        }

        static Address of(int base, int index, int scale) {
            return new Address(base, index, scale, 0);
        }
    }

    /** Whether such code is wanted, and the machine has the instructions, which the JVM then uses as well. */
    static boolean isWanted() {
        return StreamCode.asked() && Lanes.BYTES == VECTOR && FloatVector.SPECIES_PREFERRED.vectorBitSize() == 512;
    }

    /** What was written, as {@link MachineCode#brief}; null where the system has none. */
    MachineCode brief() {
        return MachineCode.brief(code()).orElse(null);
    }

    private byte[] code() {
        byte[] all = code.toByteArray();
        jumps.forEach((from, to) -> {
            int distance = to - from;
            for (int i = 0; i < 4; i++) {
                all[from - 4 + i] = (byte) (distance >> 8 * i);
            }
        });
        return all;
    }

    /** Where the next instruction is. */
    int here() {
        return code.size();
    }

    // integers

    void push(int... registers) {
        for (int register : registers) {
            bytes(0x40 | register >> 3, 0x50 | register & 7);
        }
    }

    void pop(int... registers) {
        for (int register : registers) {
            bytes(0x40 | register >> 3, 0x58 | register & 7);
        }
    }

    void load(int to, Address from) {
        integer(0x8b, to, from);
    }

    void store(int from, Address to) {
        integer(0x89, from, to);
    }

    /** A constant of 32 bits into memory. */
    void storeInt(int value, Address to) {
        bytes(0x40 | to.index >> 3 << 1 | to.base >> 3, 0xc7); // mov
        address(0, to, 1);
        word(value);
    }

    void add(int to, Address from) {
        integer(0x03, to, from);
    }

    void lea(int to, Address of) {
        integer(0x8d, to, of);
    }

    void add(int to, int from) {
        bytes(0x48 | from >> 3 << 2 | to >> 3, 0x01, 0xc0 | (from & 7) << 3 | to & 7);
    }

    /** Both signed; the lower half of what comes out. */
    void multiply(int to, Address by) {
        bytes(0x48 | to >> 3 << 2 | by.index >> 3 << 1 | by.base >> 3, 0x0f, 0xaf);
        address(to, by, 1);
    }

    void subtract(int to, int from) {
        bytes(0x48 | from >> 3 << 2 | to >> 3, 0x29, 0xc0 | (from & 7) << 3 | to & 7);
    }

    void negate(int register) {
        bytes(0x48 | register >> 3, 0xf7, 0xd8 | register & 7);
    }

    /** @param bits 0 to 127 */
    void and(int register, int bits) {
        bytes(0x48 | register >> 3, 0x83, 0xe0 | register & 7, bits);
    }

    void shiftRight(int register, int bits) {
        bytes(0x48 | register >> 3, 0xc1, 0xe8 | register & 7, bits);
    }

    void constant(int to, long value) {
        bytes(0x48 | to >> 3, 0xb8 | to & 7); // movabs
        word((int) value);
        word((int) (value >> 32));
    }

    void clear(int register) {
        bytes(0x40 | register >> 3 << 2 | register >> 3, 0x31, 0xc0 | (register & 7) << 3 | register & 7); // xor
    }

    void decrement(int register) {
        bytes(0x48 | register >> 3, 0xff, 0xc8 | register & 7);
    }

    void decrement(Address at) {
        integer(0xff, 1, at);
    }

    /** After a {@link #decrement}. */
    void jumpUnlessZero(int to) {
        int distance = to - (code.size() + 6);
        bytes(0x0f, 0x85);
        word(distance);
    }

    /** Jumps back unless the register is 0. */
    void jumpUnlessZero(int register, int to) {
        bytes(0x48 | register >> 3 << 2 | register >> 3, 0x85, 0xc0 | (register & 7) << 3 | register & 7); // test
        jumpUnlessZero(to);
    }

    /** Jumps ahead if the register is 0, to where {@link #land} is told. */
    int jumpIfZero(int register) {
        bytes(0x48 | register >> 3 << 2 | register >> 3, 0x85, 0xc0 | (register & 7) << 3 | register & 7); // test
        return jumpIfZero();
    }

    /** After a {@link #decrement}: jumps ahead at 0, to where {@link #land} is told. */
    int jumpIfZero() {
        bytes(0x0f, 0x84);
        word(0);
        return code.size();
    }

    /** Jumps ahead unless the register is below a small number, both unsigned. */
    int jumpUnlessBelow(int register, int number) {
        bytes(0x48 | register >> 3, 0x83, 0xf8 | register & 7, number); // cmp
        bytes(0x0f, 0x83);
        word(0);
        return code.size();
    }

    /** Jumps ahead, to where {@link #land} is told. */
    int jump() {
        bytes(0xe9);
        word(0);
        return code.size();
    }

    /** Ends a jump ahead here. */
    void land(int jump) {
        jumps.put(jump, code.size());
    }

    /** Code that runs as often as a number in memory says, or never; counted in rbp. */
    void loop(Address count, Runnable body) {
        load(RBP, count);
        loop(RBP, body);
    }

    /** Code that runs as often as a register says, which then is 0. */
    void loop(int count, Runnable body) {
        int behind = jumpIfZero(count), start = here();
        body.run();
        decrement(count);
        jumpUnlessZero(start);
        land(behind);
    }

    /** Code that runs unless a number in memory is 0; changes rbp. */
    void unlessZero(Address number, Runnable body) {
        load(RBP, number);
        int none = jumpIfZero(RBP);
        body.run();
        land(none);
    }

    /** At the start of the code: to the instruction that is as many bytes behind it as a number in memory says. */
    void jumpBehindStart(int spare, Address distance) {
        bytes(0x48 | spare >> 3 << 2, 0x8d, 5 | (spare & 7) << 3); // lea spare, [rip - what was written]
        word(-(code.size() + 4));
        add(spare, distance);
        bytes(0x40 | spare >> 3, 0xff, 0xe0 | spare & 7); // jmp spare
    }

    void end() {
        bytes(0xc5, 0xf8, 0x77, 0xc3); // vzeroupper; ret
    }

    // cache lines

    void prefetchIntoFirst(Address at) {
        prefetch(0x18, INTO_FIRST, at);
    }

    void prefetchIntoSecond(Address at) {
        prefetch(0x18, INTO_SECOND, at);
    }

    void prefetchToWrite(Address at) {
        prefetch(0x0d, TO_WRITE, at);
    }

    private void prefetch(int opcode, int hint, Address at) {
        bytes(0x40 | at.index >> 3 << 1 | at.base >> 3, 0x0f, opcode);
        address(hint, at, 1);
    }

    // vectors

    /** The lanes of masked loads and stores, from an integer in memory. */
    void loadMask(int mask, Address from) {
        oneOfEight("base r", from.base);
        oneOfEight("index r", from.index);
        oneOfEight("mask k", mask);
        bytes(0xc5, 0xf8, 0x90); // kmovw
        address(mask, from, 1);
    }

    /** As many lanes as a register says, fewer than 32; the other register, one of the first eight, changes. */
    void firstLanes(int mask, int count, int spare) {
        oneOfEight("mask k", mask);
        oneOfEight("spare r", spare);
        bytes(0x48, 0xc7, 0xc0 | spare, 0xff, 0xff, 0xff, 0xff); // mov spare, -1
        bytes(0xc4, 0xe2, (~count & 15) << 3, 0xf5, 0xc0 | spare << 3 | spare); // bzhi
        bytes(0xc5, 0xf8, 0x92, 0xc0 | mask << 3 | spare); // kmovw
    }

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

    void subtract(int to, int a, int b) {
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
    void loadDoubles(int to, Address from) {
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

    // lanes of 16 bits, and masks

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

    /** 32 bits. */
    void storeMask(int mask, Address to) {
        oneOfEight("index r", to.index);
        oneOfEight("mask k", mask);
        bytes(0xc4, 0xe1 ^ to.base >> 3 << 5, 0xf9, 0x91); // kmovd
        address(mask, to, 1);
    }

    /** to = not a, of 16 bits. */
    void notMask(int to, int a) {
        bytes(0xc5, 0xf8, 0x44, 0xc0 | to << 3 | a); // knotw
    }

    /** The first, third ... of sixteen lanes; changes rax. */
    void everySecond(int mask) {
        bytes(0xb8); // mov eax
        word(0x5555);
        bytes(0xc5, 0xf8, 0x92, 0xc0 | mask << 3); // kmovw
    }

    /** The upper half of a mask of 32 bits. */
    void upperHalf(int to, int from) {
        bytes(0xc4, 0xe3, 0x79, 0x31, 0xc0 | to << 3 | from, 16); // kshiftrd
    }

    /** to = a & b, of 16 bits. */
    void andMasks(int to, int a, int b) {
        bytes(0xc5, 0xf8 ^ a << 3 | 4, 0x41, 0xc0 | to << 3 | b); // kandw
    }

    // encoding

    private void integer(int opcode, int register, Address at) {
        bytes(0x48 | register >> 3 << 2 | at.index >> 3 << 1 | at.base >> 3, opcode);
        address(register, at, 1);
    }

    /** @param unit bytes that a displacement of one byte counts in */
    private void memory(
            int map, int prefix, int opcode, int register, int first, Address at, int unit, int broadcast, int mask) {
        evex(map, prefix, register, first, at.index >> 3, at.base >> 3, broadcast | mask);
        bytes(opcode);
        address(register, at, unit);
    }

    private void registers(int map, int prefix, int opcode, int register, int first, int second) {
        registers(map, prefix, opcode, register, first, second, 0);
    }

    private void registers(int map, int prefix, int opcode, int register, int first, int second, int mask) {
        evex(map, prefix, register, first, second >> 4, second >> 3 & 1, mask);
        bytes(opcode, 0xc0 | (register & 7) << 3 | second & 7);
    }

    /** @param x, b the fourth bits of index and base, or the fifth and fourth of a register */
    private void evex(int map, int prefix, int register, int first, int x, int b, int flags) {
        int extensions = (register >> 3 & 1) << 7 | x << 6 | b << 5 | (register >> 4) << 4;
        bytes(0x62, extensions ^ 0xf0 | map, (~first & 15) << 3 | 4 | prefix, (0x40 ^ flags) | (first >> 4 ^ 1) << 3);
    }

    private static void oneOfEight(String what, int register) {
        if (register > 7) {
            throw new IllegalArgumentException(what + register + ", expected one of the first eight registers");
        }
    }

    private void address(int register, Address at, int unit) {
        boolean near = at.offset % unit == 0 && at.offset / unit == (byte) (at.offset / unit);
        boolean none = at.offset == 0 && (at.base & 7) != RBP;
        int mode = none ? 0 : near ? 1 : 2;
        // rsp and r12 as base take a second byte, too
        boolean alone = at.index == NONE && (at.base & 7) != NONE;
        bytes(mode << 6 | (register & 7) << 3 | (alone ? at.base & 7 : 4));
        if (!alone) {
            bytes(Integer.numberOfTrailingZeros(at.scale) << 6 | (at.index & 7) << 3 | at.base & 7);
        }
        if (mode == 1) {
            bytes(at.offset / unit);
        } else if (mode == 2) {
            word(at.offset);
        }
    }

    private void word(int value) {
        bytes(value, value >> 8, value >> 16, value >> 24);
    }

    private void bytes(int... values) {
        for (int value : values) {
            code.write(value);
        }
    }
}
