package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;

/**
 * Rows of 4-byte elements turned into columns as machine code, for x86-64 with AVX-512: what {@link GemmTranspose} does. Tiles of
 * eight rows and eight columns; quarters of rows that are four apart meet in a register when they are loaded, so that two rounds of
 * shuffles are left of three. Borders are tiles under masks.
 */
final class TransposeCode {
    /** Rows and columns of a tile. */
    private static final int EDGE = 8;
    /** Elements of a call at most: some microseconds, see {@link MachineCode#brief}. */
    private static final int MOST = 1 << 13;

    /** Where in the argument the numbers of a call are, in bytes. */
    private static final int FROM = 0, ALONG = 8, TO = 16, STEP = 24, GROUPS = 32, TILES = 40, REST = 48, ROWS = 56;

    private static final int LANES_OF_ROWS = 64, LANES_OF_REST = 72, LANES_OF_ALL = 80, ARGUMENT = 88;

    /** Masks: of the columns that are read, of the rows that are written. */
    private static final int READ = 1, WRITTEN = 2;
    /** Vector registers, eight each. */
    private static final int LOADED = 0, BETWEEN = 8, TURNED = 16;

    private static final MachineCode CODE = make();
    private static final Scratch ARGUMENTS = new ThreadScratch();

    private TransposeCode() {}

    /** Whether there is such code. */
    static boolean works() {
        return CODE != null;
    }

    /** Element (i, p) of rows {@code along} bytes apart goes to {@code to + p * step + i * 4}. */
    static void turn(long from, long along, int rows, int count, long to, long step) {
        if (rows <= 0 || count <= 0) {
            return;
        }
        long argument = ARGUMENTS.address(ARGUMENT);
        set(argument + ALONG, along);
        set(argument + STEP, step);
        set(argument + LANES_OF_ALL, -1);
        int whole = rows / EDGE, wide = Math.min(count, MOST / EDGE);
        for (int p = 0; p < count; p += wide) {
            int some = Math.min(wide, count - p), most = Math.max(1, MOST / EDGE / some);
            long source = from + 4L * p, target = to + p * step;
            set(argument + TILES, some / EDGE);
            set(argument + REST, some % EDGE);
            set(argument + LANES_OF_REST, (1 << some % EDGE) - 1);
            for (int i = 0, groups; i < whole; i += groups) {
                groups = Math.min(most, whole - i);
                run(argument, source + i * EDGE * along, target + 4L * EDGE * i, EDGE, groups);
            }
            if (rows % EDGE > 0) {
                set(argument + TILES, 0);
                set(argument + REST, some);
                run(argument, source + whole * EDGE * along, target + 4L * EDGE * whole, rows % EDGE, 1);
            }
        }
    }

    private static void run(long argument, long from, long to, int rows, int groups) {
        set(argument + FROM, from);
        set(argument + TO, to);
        set(argument + ROWS, rows);
        set(argument + LANES_OF_ROWS, (1 << rows) - 1);
        set(argument + GROUPS, groups);
        CODE.run(argument, 0, 0, 0, 0, 0);
    }

    private static MachineCode make() {
        if (!VectorAssembler.isWanted()) {
            return null;
        }
        VectorAssembler code = new VectorAssembler();
        code.push(RBX, RBP, R12);
        code.load(R10, argument(ALONG));
        code.lea(R11, Address.of(R10, R10, 2));
        code.load(RCX, argument(STEP));
        code.lea(R8, Address.of(RCX, RCX, 2));
        code.loadMask(WRITTEN, argument(LANES_OF_ROWS));
        int group = code.here();
        code.load(RAX, argument(FROM));
        code.load(RDX, argument(TO));
        code.lea(RBX, Address.of(RAX, R10, 4));
        code.lea(RSI, Address.of(RDX, RCX, 4));
        code.loop(argument(TILES), () -> writeTile(code));
        code.load(R9, argument(REST));
        int none = code.jumpIfZero(R9);
        writeEdge(code);
        code.land(none);
        code.load(RAX, argument(FROM));
        code.lea(RAX, Address.of(RAX, R10, 8));
        code.store(RAX, argument(FROM));
        code.load(RDX, argument(TO));
        code.lea(RDX, Address.of(RDX, EDGE * Float.BYTES));
        code.store(RDX, argument(TO));
        code.decrement(argument(GROUPS));
        code.jumpUnlessZero(group);
        code.pop(R12, RBP, RBX);
        code.end();
        return code.brief();
    }

    /** Rows 0 to 3 from rax on, the others from rbx on; columns likewise from rdx and rsi on. */
    private static void writeTile(VectorAssembler code) {
        for (int half = 0; half < 2; half++) {
            int a = LOADED + 4 * half, t = BETWEEN + 4 * half;
            for (int i = 0; i < 4; i++) {
                code.loadQuarter(a + i, behind(at(RAX, R10, R11, i), 4 * half * Float.BYTES));
                code.insertQuarter(a + i, behind(at(RBX, R10, R11, i), 4 * half * Float.BYTES));
            }
            writeQuarters(code, a, t, TURNED + 4 * half);
        }
        for (int p = 0; p < EDGE; p++) {
            code.storeHalf(TURNED + p, at(p < 4 ? RDX : RSI, RCX, R8, p % 4), 0);
        }
        writeAdvance(code);
    }

    /** Four rows of two quarters each to four columns. */
    private static void writeQuarters(VectorAssembler code, int a, int t, int to) {
        for (int i = 0; i < 2; i++) {
            code.interleave(t + i, a + 2 * i, a + 2 * i + 1, false);
            code.interleave(t + 2 + i, a + 2 * i, a + 2 * i + 1, true);
        }
        for (int p = 0; p < 4; p++) {
            int pair = t + p / 2 * 2;
            code.interleavePairs(to + p, pair, pair + 1, p % 2 == 1);
        }
    }

    /** Tiles of some rows, until no columns are left in r9; rows counted in r12. */
    private static void writeEdge(VectorAssembler code) {
        code.loadMask(READ, argument(LANES_OF_ALL));
        int start = code.here();
        int full = code.jumpUnlessBelow(R9, EDGE);
        code.loadMask(READ, argument(LANES_OF_REST));
        code.land(full);
        for (int i = 1; i < EDGE; i++) {
            code.zero(LOADED + i);
        }
        code.load(R12, argument(ROWS));
        int[] loaded = new int[EDGE - 1];
        for (int i = 0; i < EDGE; i++) {
            code.loadHalfOrZero(LOADED + i, at(i < 4 ? RAX : RBX, R10, R11, i % 4), READ);
            if (i < loaded.length) {
                code.decrement(R12);
                loaded[i] = code.jumpIfZero();
            }
        }
        for (int jump : loaded) {
            code.land(jump);
        }
        // columns 0 to 3 in the first halves of the registers, columns 4 to 7 in the others
        writeQuarters(code, LOADED, BETWEEN, TURNED);
        writeQuarters(code, LOADED + 4, BETWEEN, TURNED + 4);
        int[] ends = new int[EDGE - 1];
        for (int p = 0; p < EDGE; p++) {
            int column = BETWEEN + p;
            code.joinQuarters(column, TURNED + p % 4, TURNED + 4 + p % 4, p >= 4);
            code.storeHalf(column, at(p < 4 ? RDX : RSI, RCX, R8, p % 4), WRITTEN);
            if (p < ends.length) {
                code.decrement(R9);
                ends[p] = code.jumpIfZero();
            }
        }
        writeAdvance(code);
        code.decrement(R9);
        code.jumpUnlessZero(start);
        for (int jump : ends) {
            code.land(jump);
        }
    }

    private static void writeAdvance(VectorAssembler code) {
        for (int pointer : new int[] {RAX, RBX}) {
            code.lea(pointer, Address.of(pointer, EDGE * Float.BYTES));
        }
        for (int pointer : new int[] {RDX, RSI}) {
            code.lea(pointer, Address.of(pointer, RCX, 8));
        }
    }

    /** The line that is up to three strides behind a base. */
    private static Address at(int base, int stride, int three, int lines) {
        return switch (lines) {
            case 0 -> Address.of(base, 0);
            case 3 -> Address.of(base, three, 1);
            default -> Address.of(base, stride, lines);
        };
    }

    private static Address behind(Address at, int bytes) {
        return new Address(at.base(), at.index(), at.scale(), at.offset() + bytes);
    }
}
