package io.quern.backend.vector;

/**
 * Machine code with AVX-512: masks, and how all its instructions are encoded. Encodings: Intel 64 and IA-32 Architectures Software
 * Developer's Manual, volume 2, chapter 2.7 (EVEX).
 */
class MaskAssembler extends IntegerAssembler {
    static final int MAP_0F = 1, MAP_0F38 = 2, MAP_0F3A = 3;
    static final int NO_PREFIX = 0, PREFIX_66 = 1, PREFIX_F3 = 2, WIDE = 0x80;
    static final int VECTOR = 64, LONG = 8, FLOAT = 4, SHORT = 2;
    /** Flags of a vector instruction: an element of memory for all lanes; lanes that the mask leaves out become zero. */
    static final int EACH = 0x10, ZEROING = 0x80;
    /** The same, of a vector of eight lanes of 32 bits, and of four. */
    static final int HALF = 0x60, QUARTER = 0x40;

    // masks

    /** The lanes of masked loads and stores, from an integer in memory. */
    void loadMask(int mask, Address from) {
        oneOfEight("base r", from.base());
        oneOfEight("index r", from.index());
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

    /** 32 bits. */
    void storeMask(int mask, Address to) {
        oneOfEight("index r", to.index());
        oneOfEight("mask k", mask);
        bytes(0xc4, 0xe1 ^ to.base() >> 3 << 5, 0xf9, 0x91); // kmovd
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

    /** @param unit bytes that a displacement of one byte counts in */
    final void memory(
            int map, int prefix, int opcode, int register, int first, Address at, int unit, int broadcast, int mask) {
        evex(map, prefix, register, first, at.index() >> 3, at.base() >> 3, broadcast | mask);
        bytes(opcode);
        address(register, at, unit);
    }

    final void registers(int map, int prefix, int opcode, int register, int first, int second) {
        registers(map, prefix, opcode, register, first, second, 0);
    }

    final void registers(int map, int prefix, int opcode, int register, int first, int second, int mask) {
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
}
