package io.quern.backend.vector;

import io.quern.backend.ffi.MachineCode;
import java.io.ByteArrayOutputStream;
import java.util.HashMap;
import java.util.Map;

/**
 * Machine code for x86-64: integers, jumps and cache lines. Encodings: Intel 64 and IA-32 Architectures Software Developer's Manual,
 * volume 2, chapter 2.1 (ModRM, SIB, REX).
 */
class IntegerAssembler {
    static final int RAX = 0, RCX = 1, RDX = 2, RBX = 3, RBP = 5, RSI = 6, RDI = 7, R8 = 8, R9 = 9, R10 = 10, R11 = 11;
    static final int R12 = 12, R13 = 13, R14 = 14, R15 = 15;
    /** What a prefetch has in place of a register: into all caches, into the second; for writing. */
    private static final int INTO_FIRST = 1, INTO_SECOND = 2, TO_WRITE = 1;

    private final ByteArrayOutputStream code = new ByteArrayOutputStream();
    /** Where jumps ahead end, by where they are left: known when there is something to jump to. */
    private final Map<Integer, Integer> jumps = new HashMap<>();

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
        bytes(0x40 | to.index() >> 3 << 1 | to.base() >> 3, 0xc7); // mov
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
        bytes(0x48 | to >> 3 << 2 | by.index() >> 3 << 1 | by.base() >> 3, 0x0f, 0xaf);
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
        bytes(0x40 | at.index() >> 3 << 1 | at.base() >> 3, 0x0f, opcode);
        address(hint, at, 1);
    }

    // encoding

    private void integer(int opcode, int register, Address at) {
        bytes(0x48 | register >> 3 << 2 | at.index() >> 3 << 1 | at.base() >> 3, opcode);
        address(register, at, 1);
    }

    final void address(int register, Address at, int unit) {
        boolean near = at.offset() % unit == 0 && at.offset() / unit == (byte) (at.offset() / unit);
        boolean none = at.offset() == 0 && (at.base() & 7) != RBP;
        int mode = none ? 0 : near ? 1 : 2;
        // rsp and r12 as base take a second byte, too
        boolean alone = at.index() == Address.NONE && (at.base() & 7) != Address.NONE;
        bytes(mode << 6 | (register & 7) << 3 | (alone ? at.base() & 7 : 4));
        if (!alone) {
            bytes(Integer.numberOfTrailingZeros(at.scale()) << 6 | (at.index() & 7) << 3 | at.base() & 7);
        }
        if (mode == 1) {
            bytes(at.offset() / unit);
        } else if (mode == 2) {
            word(at.offset());
        }
    }

    final void word(int value) {
        bytes(value, value >> 8, value >> 16, value >> 24);
    }

    final void bytes(int... values) {
        for (int value : values) {
            code.write(value);
        }
    }
}
