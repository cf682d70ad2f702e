package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;
import java.util.EnumMap;
import java.util.Map;

/**
 * The {@linkplain GemmTile tiles} as machine code, for x86-64 with AVX-512: tiles of the same columns, one below the other, the same
 * sums in the same order as the kernels in Java, so the same bits (but for which of two NaN is passed on). What Java cannot express (bench/lab/matmul.md): an element of A as operand of a
 * multiply-add, which takes it to all lanes; and asking for cache lines between multiply-adds, so that computing and moving go on at
 * once.
 */
final class GemmCode {
    /** How sums get to C. */
    enum Storing {
        /** C = alpha A B, of the first k block. */
        SET,
        /** C = C + alpha A B, of the others, or where C counts. */
        ADD,
        /** C = alpha A B past the caches: whole vectors, on cache lines. */
        STREAM
    }

    /** Multiply-adds of vectors in a call, and what a vector of C counts: some microseconds, see {@link MachineCode#brief}. */
    private static final int WORK = 1 << 15, STORE = 32;

    /** Where in the argument the numbers of a call are, in bytes. */
    static final int C = 0, C_ROW = 8, NEXT = 16, ADDS = 24;

    private static final int A = 32, ROW = 40, DEEP = 48, B = 56, B_DEEP = 64, K = 72, TILES = 80;
    private static final int ALPHA = 88, MASK = 92, ASKED = 96, LATER = 104, LINE = 112, BELOW = 120;
    /** Where the code is that does it. */
    static final int ENTRY = 128;
    /** Bytes of it: whole cache lines. */
    static final int ARGUMENT = 192;

    /** Vector registers: the sums from 0 on, then these. */
    private static final int FIRST_OF_B = 24, ELEMENT = 28, FACTOR = 29;
    /** Vectors of a row up to which an element of A is read for each multiply-add, and not once for all. */
    private static final int FEW = 2;

    private static final Map<GemmTile, GemmCode> OF_TILES = new EnumMap<>(GemmTile.class);
    /** All of it in one, since a call of what is constant to the compiler takes a fraction of the time of another. */
    private static final MachineCode CODE = make();

    private final GemmTile tile;
    /** Where each begins, by {@link Storing}. */
    private final int[] entries = new int[Storing.values().length];

    private GemmCode(GemmTile tile) {
        this.tile = tile;
    }

    private static MachineCode make() {
        if (!VectorAssembler.isWanted()) {
            return null;
        }
        VectorAssembler code = new VectorAssembler();
        code.jumpBehindStart(RAX, argument(ENTRY));
        for (GemmTile tile : GemmTile.values()) {
            GemmCode made = new GemmCode(tile);
            for (Storing storing : Storing.values()) {
                made.entries[storing.ordinal()] = code.here();
                write(code, tile, storing);
            }
            OF_TILES.put(tile, made);
        }
        return code.brief();
    }

    /** Null on other machines and systems. */
    static GemmCode of(GemmTile tile) {
        return CODE == null || !GemmBorderCode.works() ? null : OF_TILES.get(tile);
    }

    /** Tiles that one call takes, of those that are left. */
    int tiles(int left, int kc) {
        return tiles(tile.rows, tile.columns / Lanes.FLOATS, left, kc);
    }

    /** The same for tiles of any rows and vectors. */
    static int tiles(int rows, int vectors, int left, int kc) {
        return Math.clamp(WORK / ((long) rows * vectors * (kc + STORE)), 1, left);
    }

    /**
     * What calls have in common, written to their argument: {@link #ARGUMENT} bytes. Strides in bytes.
     *
     * @param next bytes from a tile's first row of A to the next tile's
     * @param alpha in int bits
     */
    static void prepare(long argument, int kc, long rs, long cs, long next, long bs, long ldc, int alpha) {
        set(argument + ROW, rs);
        set(argument + DEEP, cs);
        set(argument + NEXT, next);
        set(argument + B_DEEP, bs);
        set(argument + C_ROW, ldc);
        set(argument + K, kc);
        setInt(argument + ALPHA, alpha);
        ahead(argument, argument, argument, 0, 0);
    }

    /**
     * The cache lines that are asked for meanwhile, in one order over all calls that follow.
     *
     * @param first, second of the lines that come into the first and the second cache
     * @param line bytes by which both go on in a step of k
     * @param below bytes from a row of C to the one that is asked for when it is written
     */
    static void ahead(long argument, long first, long second, long line, long below) {
        set(argument + ASKED, first);
        set(argument + LATER, second - first);
        set(argument + LINE, line);
        set(argument + BELOW, below);
    }

    /** Changes that of {@link #prepare} alone. */
    static void next(long argument, long next) {
        set(argument + NEXT, next);
    }

    /** Changes that of {@link #ahead} alone. */
    static void below(long argument, long below) {
        set(argument + BELOW, below);
    }

    /**
     * Some tiles, one below the other, of a prepared product.
     *
     * @param columns of C; B is read in whole vectors
     */
    void run(long argument, long a, long b, long c, int columns, int tiles, Storing storing) {
        operands(argument, a, b, c, columns, tiles, entries[storing.ordinal()]);
        CODE.run(argument, 0, 0, 0, 0, 0);
    }

    /** What differs from call to call. */
    static void operands(long argument, long a, long b, long c, int columns, int tiles, int entry) {
        set(argument + A, a);
        set(argument + B, b);
        set(argument + C, c);
        set(argument + TILES, tiles);
        setInt(argument + MASK, 0xffff >> (-columns & Lanes.FLOATS - 1));
        set(argument + ENTRY, entry);
    }

    private static void write(VectorAssembler code, GemmTile tile, Storing storing) {
        writeStart(code);
        int start = code.here();
        writeSums(code, tile.rows, tile.columns / Lanes.FLOATS, false);
        writeStores(code, tile, storing);
        writeNext(code, start, storing == Storing.STREAM);
    }

    static void writeStart(VectorAssembler code) {
        code.push(RBX, RBP, R12, R13, R14, R15);
        code.load(R10, argument(ROW));
        code.lea(R11, Address.of(R10, R10, 2));
        code.load(R12, argument(DEEP));
        code.load(R13, argument(B_DEEP));
        code.load(R15, argument(LINE));
        code.load(R9, argument(LATER));
        code.broadcast(FACTOR, argument(ALPHA));
        code.loadMask(1, argument(MASK));
    }

    /**
     * The next tile, or the end.
     *
     * @param past whether results pass by the caches
     */
    static void writeNext(VectorAssembler code, int start, boolean past) {
        code.load(RAX, argument(A));
        code.add(RAX, argument(NEXT));
        code.store(RAX, argument(A));
        code.decrement(argument(TILES));
        code.jumpUnlessZero(start);
        if (past) {
            code.fence();
        }
        code.pop(R15, R14, R13, R12, RBP, RBX);
        code.end();
    }

    /**
     * The loop over k: B in rsi, every fourth row of A in one of four registers, what is asked for in r14.
     *
     * @param border nothing is asked for, and of the last vector of B the lanes that the mask leaves out are not read
     */
    static void writeSums(VectorAssembler code, int high, int vectors, boolean border) {
        int[] rows = {RAX, RBX, RCX, RDX};
        code.load(RAX, argument(A));
        for (int i = 1; 4 * i < high; i++) {
            code.lea(rows[i], Address.of(rows[i - 1], R10, 4));
        }
        code.load(RSI, argument(B));
        code.load(RBP, argument(K));
        code.load(R14, argument(ASKED));
        for (int i = 0; i < high * vectors; i++) {
            code.zero(i);
        }
        int step = code.here();
        for (int v = 0; v < vectors; v++) {
            Address at = Address.of(RSI, v * Lanes.BYTES);
            if (border && v + 1 == vectors) {
                code.loadOrZero(FIRST_OF_B + v, at, 1);
            } else {
                code.loadVector(FIRST_OF_B + v, at);
            }
        }
        for (int i = 0; i < high; i++) {
            Address element = element(rows[i / 4], i % 4);
            if (vectors > FEW) {
                code.broadcast(ELEMENT, element);
            }
            for (int v = 0; v < vectors; v++) {
                if (vectors > FEW) {
                    code.multiplyAdd(i * vectors + v, FIRST_OF_B + v, ELEMENT);
                } else {
                    code.multiplyAddElement(i * vectors + v, FIRST_OF_B + v, element);
                }
            }
        }
        if (!border) {
            code.prefetchIntoFirst(Address.of(R14, 0));
            code.prefetchIntoSecond(Address.of(R14, R9, 1));
            code.add(R14, R15);
        }
        for (int i = 0; 4 * i < high; i++) {
            code.add(rows[i], R12);
        }
        code.add(RSI, R13);
        code.decrement(RBP);
        code.jumpUnlessZero(step);
    }

    /** A row of A, by the row that is at most three before it. */
    private static Address element(int base, int further) {
        return switch (further) {
            case 0 -> Address.of(base, 0);
            case 3 -> Address.of(base, R11, 1);
            default -> Address.of(base, R10, further);
        };
    }

    /** C in r8, the row that is asked for in rbp. */
    private static void writeStores(VectorAssembler code, GemmTile tile, Storing storing) {
        int vectors = tile.columns / Lanes.FLOATS;
        code.load(R8, argument(C));
        code.load(RBP, argument(BELOW));
        code.add(RBP, R8);
        code.load(RSI, argument(C_ROW));
        for (int i = 0; i < tile.rows; i++) {
            for (int v = 0; v < vectors; v++) {
                writeStore(code, i * vectors + v, v * Lanes.BYTES, v + 1 < vectors ? 0 : 1, storing);
                if (storing != Storing.STREAM) {
                    code.prefetchToWrite(Address.of(RBP, v * Lanes.BYTES));
                }
            }
            code.add(R8, RSI);
            code.add(RBP, RSI);
        }
        code.store(R8, argument(C));
        code.store(R14, argument(ASKED));
    }

    /** A sum to where r8 is, and an offset. */
    static void writeStore(VectorAssembler code, int sum, int offset, int mask, Storing storing) {
        Address at = Address.of(R8, offset);
        if (storing == Storing.ADD) {
            code.multiplyThenAdd(sum, FACTOR, at, mask);
        } else {
            code.multiply(sum, sum, FACTOR);
        }
        if (storing == Storing.STREAM) {
            code.streamVector(sum, at);
        } else {
            code.storeVector(sum, at, mask);
        }
    }
}
