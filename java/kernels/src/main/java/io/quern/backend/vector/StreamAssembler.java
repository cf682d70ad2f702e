package io.quern.backend.vector;

import java.io.ByteArrayOutputStream;
import java.util.function.Consumer;

/**
 * Machine code of a loop over streams, for x86-64 with AVX-512: all of a block of y from blocks of a and b, y by ordinary or by
 * non-temporal stores. A step is a vector of the widest stream. Encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2,
 * chapter 2.7 (EVEX).
 *
 * <p>rdi, rsi, rdx are y, a and b; rcx the end of the offset rax, in bytes of the narrowest stream; r9 how many parts of that
 * length there are. The halves of r8 are the bits of two float constants, or r8 is where the factors are that each part meets
 * again: one or four vectors for each of y. Vector registers 0 to 4 are free; {@link #FIRST} and {@link #SECOND} hold the
 * constants in all lanes, {@link #ZERO} zeros.
 */
final class StreamAssembler {
    /** Registers of constants. */
    static final int FIRST = 5, SECOND = 6, ZERO = 7;
    /** Base registers of the streams. */
    static final int Y = 7, A = 6, B = 2;
    /** Factors, the first to the fourth. */
    static final int FACTOR = 8, FACTOR_2 = 9, FACTOR_3 = 10, FACTOR_4 = 11;
    /** The mask that a comparison writes and a masked move reads. */
    private static final int MASK = 1;
    /** Immediate of a comparison: unordered, greater. */
    static final int UNORDERED = 0x03, GREATER = 0x0e;

    private static final int MAP_0F = 1, MAP_0F38 = 2;
    private static final int NO_PREFIX = 0, PREFIX_66 = 1, PREFIX_F3 = 2;
    private static final int RAX = 0, RCX = 1;

    private final ByteArrayOutputStream code = new ByteArrayOutputStream();
    private final int elementY;
    private final int elementA;
    /** For each vector of y: none, 1 or 4. */
    private final int factors;

    private final boolean past;

    private StreamAssembler(int elementY, int elementA, int factors, boolean past) {
        this.elementY = elementY;
        this.elementA = elementA;
        this.factors = factors;
        this.past = past;
    }

    /**
     * @param elementY bytes of an element of y
     * @param elementA bytes of an element of a, half, twice or as many; b's are a's
     * @param factors 0 for a loop with constants, else 1 or 4
     * @param past whether y passes by the caches, and lies on their lines
     * @param step writes the instructions for {@link #lanes} elements, from loads to a store
     */
    static byte[] loop(int elementY, int elementA, int factors, boolean past, Consumer<StreamAssembler> step) {
        StreamAssembler assembler = new StreamAssembler(elementY, elementA, factors, past);
        if (factors == 0) {
            assembler.constants();
        }
        int part = assembler.code.size();
        assembler.bytes(0x31, 0xc0); // xor eax, eax
        int start = assembler.code.size();
        step.accept(assembler);
        assembler.again(start);
        assembler.nextPart(part);
        return assembler.code.toByteArray();
    }

    /** Elements of a step. */
    static int lanes(int elementY, int elementA) {
        return 64 / Math.max(elementY, elementA);
    }

    private void constants() {
        broadcast(FIRST);
        bytes(0x49, 0xc1, 0xe8, 32); // shr r8, 32
        broadcast(SECOND);
        operation(MAP_0F, PREFIX_66, 0xef, ZERO, ZERO, ZERO); // vpxord
    }

    private void again(int start) {
        bytes(0x48, 0x83, 0xc0, lanes(elementY, elementA) * Math.min(elementY, elementA)); // add rax, step
        bytes(0x48, 0x39, 0xc8); // cmp rax, rcx
        jumpUnlessEqual(start);
    }

    private void nextPart(int part) {
        advance(Y);
        advance(A);
        advance(B);
        bytes(0x49, 0xff, 0xc9); // dec r9
        jumpUnlessEqual(part);
        if (past) {
            bytes(0x0f, 0xae, 0xf8); // sfence, before another thread is told that this one is done
        }
        bytes(0xc5, 0xf8, 0x77, 0xc3); // vzeroupper; ret
    }

    /** By rcx, or twice that. */
    private void advance(int stream) {
        bytes(0x48, 0x8d, stream << 3 | 4, address(stream) | RCX << 3); // lea
    }

    private void jumpUnlessEqual(int to) {
        int distance = to - (code.size() + 6);
        bytes(0x0f, 0x85, distance, distance >> 8, distance >> 16, distance >> 24);
    }

    // loads and stores

    void load(int to, int stream) {
        memory(MAP_0F, NO_PREFIX, 0, 0x10, to, 0, stream); // vmovups
    }

    void store(int from) {
        memory(MAP_0F, NO_PREFIX, 0, past ? 0x2b : 0x11, from, 0, Y); // vmovntps, vmovups
    }

    /** Of 32 bytes. */
    void storeHalf(int from) {
        bytes(0xc5, 0xfc, past ? 0x2b : 0x11, from << 3 | 4, address(Y)); // vmovntps, vmovups, VEX.256
    }

    // arithmetic, operands in this order

    void add(int to, int a, int stream) {
        memory(MAP_0F, NO_PREFIX, 0, 0x58, to, a, stream);
    }

    /** to = to a + b, rounded once. */
    void multiplyAddStream(int to, int a, int stream) {
        memory(MAP_0F38, PREFIX_66, 0, 0xa8, to, a, stream); // vfmadd213ps
    }

    void multiply(int to, int a, int b) {
        operation(MAP_0F, NO_PREFIX, 0x59, to, a, b);
    }

    void multiplyStream(int to, int a, int stream) {
        memory(MAP_0F, NO_PREFIX, 0, 0x59, to, a, stream);
    }

    void subtract(int to, int a, int b) {
        operation(MAP_0F, NO_PREFIX, 0x5c, to, a, b);
    }

    void subtractStream(int to, int a, int stream) {
        memory(MAP_0F, NO_PREFIX, 0, 0x5c, to, a, stream);
    }

    /** The larger; b if either is a NaN or both are zeros. */
    void maximum(int to, int a, int b) {
        operation(MAP_0F, NO_PREFIX, 0x5f, to, a, b);
    }

    /** to = b - to a, rounded once. */
    void subtractProduct(int to, int a, int b) {
        operation(MAP_0F38, PREFIX_66, 0xac, to, a, b); // vfnmadd213ps
    }

    /** Compares for {@link #moveWhere}. */
    void compare(int a, int b, int relation) {
        operation(MAP_0F, NO_PREFIX, 0xc2, MASK, a, b);
        bytes(relation);
    }

    /** Where the comparison held; other lanes stay. */
    void moveWhere(int to, int from) {
        evex(MAP_0F, NO_PREFIX, 0, 0, 0x28, MASK); // vmovaps
        register(to, from);
    }

    // integers

    void shiftLeft(int to, int from, int bits) {
        operation(MAP_0F, PREFIX_66, 0x72, 6, to, from);
        bytes(bits);
    }

    void shiftRight(int to, int from, int bits) {
        operation(MAP_0F, PREFIX_66, 0x72, 2, to, from);
        bytes(bits);
    }

    void addIntegers(int to, int a, int b) {
        operation(MAP_0F, PREFIX_66, 0xfe, to, a, b);
    }

    void and(int to, int a, int b) {
        operation(MAP_0F, PREFIX_66, 0xdb, to, a, b);
    }

    void or(int to, int a, int b) {
        operation(MAP_0F, PREFIX_66, 0xeb, to, a, b);
    }

    // conversions

    /** Sixteen unsigned shorts of a stream to integers. */
    void loadShorts(int to, int stream) {
        memory(MAP_0F38, PREFIX_66, 0, 0x33, to, 0, stream); // vpmovzxwd
    }

    /** Eight floats of a stream to doubles. */
    void loadAsDoubles(int to, int stream) {
        memory(MAP_0F, NO_PREFIX, 0, 0x5a, to, 0, stream); // vcvtps2pd
    }

    /** Eight doubles of a stream to floats, half a vector. */
    void loadDoubles(int to, int stream) {
        memory(MAP_0F, PREFIX_66, 1, 0x5a, to, 0, stream); // vcvtpd2ps
    }

    /** The lower halves of sixteen integers, into half a vector. */
    void lowerHalves(int to, int from) {
        operation(MAP_0F38, PREFIX_F3, 0x33, from, 0, to); // vpmovdw
    }

    private void broadcast(int to) {
        bytes(0x62, 0xd0 | MAP_0F38, prefixes(0, 0, PREFIX_66), 0x48, 0x7c, 0xc0 | to << 3); // vpbroadcastd from r8d
    }

    // encoding

    private void operation(int map, int prefix, int opcode, int register, int first, int second) {
        evex(map, prefix, 0, first, opcode, 0);
        register(register, second);
    }

    private void memory(int map, int prefix, int wide, int opcode, int register, int first, int stream) {
        if (stream >= FACTOR) {
            // B of the prefix is clear: r8; the displacement is in vectors
            bytes(0x62, 0xd0 | map, prefixes(wide, first, prefix), 0x48, opcode);
            int scale = factors == 4 ? 2 : 0;
            bytes(0x40 | register << 3 | 4, scale << 6 | RAX << 3, stream - FACTOR);
        } else {
            evex(map, prefix, wide, first, opcode, 0);
            bytes(register << 3 | 4, address(stream));
        }
    }

    private void register(int register, int second) {
        bytes(0xc0 | register << 3 | second);
    }

    /** [stream + rax], or twice rax where elements are twice as wide as the narrowest. */
    private int address(int stream) {
        int element = stream == Y ? elementY : elementA;
        int scale = element > Math.min(elementY, elementA) ? 1 : 0;
        return scale << 6 | RAX << 3 | stream;
    }

    /** 512 bits; registers below 8. */
    private void evex(int map, int prefix, int wide, int first, int opcode, int mask) {
        bytes(0x62, 0xf0 | map, prefixes(wide, first, prefix), 0x48 | mask, opcode);
    }

    private static int prefixes(int wide, int first, int prefix) {
        return wide << 7 | (~first & 15) << 3 | 4 | prefix;
    }

    private void bytes(int... values) {
        for (int value : values) {
            code.write(value);
        }
    }
}
