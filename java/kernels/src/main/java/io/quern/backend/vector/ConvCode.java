package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;

/**
 * The tiles of a {@linkplain ConvTile.Walk walk} as machine code, for x86-64 with AVX-512: each sum is the chain that it is in the
 * kernels in Java, so the same bits (but for which of two NaN is passed on). What these cannot do: rows of any distance in tiles of
 * eight, each by a register of its own; every height and every number of columns in place, without scratch; and to ask for the rows of
 * the next results while those of a tile are written.
 */
final class ConvCode {
    /** What a step of a tile multiplies a vector of B by: an element of A, or as many elements, channel by channel. */
    private enum Operand {
        ELEMENT,
        VECTOR
    }

    /**
     * Multiply-adds of vectors in a call, and what a vector of results counts: some microseconds, see {@link MachineCode#brief}. One tile
     * is the least, so that of 2048 channels and nine taps a call takes a tenth of a millisecond.
     */
    private static final int WORK = 1 << 15, STORE = 32;
    /** Rows of the highest tiles: of up to two vectors, and of four. */
    private static final int HIGH = 8, HIGH_WIDE = 6;

    /** Where in the argument the numbers of a call are, in bytes. */
    private static final int A = 0,
            B = 8,
            B_DEEP = 16,
            C = 24,
            ROWS = 32,
            RESULTS = 40,
            TAPS = 48,
            TAP_COUNT = 56,
            TAPS_LEFT = 64,
            K = 72,
            DEEP = 80,
            TILES = 88;

    private static final int BIAS = 96, FLOOR = 104, MASK = 108, ENTRY = 112;
    private static final int ASKED = 120, LINE = 128, ALSO_ASKED = 136, ALSO_LINE = 144;
    /** Bytes of it. */
    static final int ARGUMENT = 152;

    /** Vector registers: the sums from 0 on, then these; the last two after the sums are complete. */
    private static final int FIRST_OF_B = 24, ELEMENT = 28, LOW = 29;

    private static final int[] ROW = {RAX, RBX, RCX, RDX, R8, R9, R10, R11};
    private static final int LONG = 8, TAP = 2 * LONG;

    /** Where each begins: by vectors, rows, operand, and whether it adds to what is there. */
    private static final int[] ENTRIES = new int[5 << 6];

    private static final MachineCode CODE = make();

    /** Of a walk: pairs of taps and rows of B, then offsets of rows, and of results. */
    private final MemorySegment table;

    private final long sources, results;
    private final int taps, kc, count;
    private final long cs;

    private ConvCode(long[] taps, long[] filters, int kc, long cs, ConvRows rows) {
        this.taps = taps.length;
        this.kc = kc;
        this.cs = cs;
        count = rows.count();
        int padded = rows.sources().length;
        table = Arena.ofAuto().allocate((long) TAP * taps.length + 2L * LONG * padded, LONG);
        for (int i = 0; i < taps.length; i++) {
            table.setAtIndex(ValueLayout.JAVA_LONG, 2L * i, taps[i]);
            table.setAtIndex(ValueLayout.JAVA_LONG, 2L * i + 1, filters[i]);
        }
        long at = (long) TAP * taps.length;
        MemorySegment.copy(rows.sources(), 0, table, ValueLayout.JAVA_LONG, at, padded);
        MemorySegment.copy(rows.results(), 0, table, ValueLayout.JAVA_LONG, at + (long) LONG * padded, padded);
        sources = table.address() + at;
        results = sources + (long) LONG * padded;
    }

    /** Null on other machines and systems, and where there is nothing to add up. */
    static ConvCode of(long[] taps, long[] filters, int kc, long cs, ConvRows rows) {
        return CODE == null || taps.length == 0 || kc == 0 ? null : new ConvCode(taps, filters, kc, cs, rows);
    }

    /** Steps of a panel's tiles: what {@link #askAhead} counts by. */
    long steps(int wide) {
        return (long) Math.ceilDiv(count, wide > ConvTile.COLUMNS ? HIGH_WIDE : HIGH) * taps * kc;
    }

    /**
     * What the panels that follow ask for meanwhile, into the second cache.
     *
     * @param first, second where two streams begin
     * @param firstLine, secondLine bytes of them that a step asks for; 0 for nothing
     */
    static void askAhead(long argument, long first, long firstLine, long second, long secondLine) {
        set(argument + ASKED, firstLine == 0 ? argument : first);
        set(argument + LINE, firstLine);
        set(argument + ALSO_ASKED, secondLine == 0 ? argument : second);
        set(argument + ALSO_LINE, secondLine);
    }

    /**
     * As {@link ConvTile#panel}.
     *
     * @param argument {@link #ARGUMENT} bytes
     */
    void panel(long a, long b, long bs, long c, int wide, long bias, int floor, boolean add, long argument) {
        run(Operand.ELEMENT, a, b, bs, c, wide, bias, floor, add, argument);
    }

    /** As {@link ConvTile#depthwise}. */
    void depthwise(long a, long b, long bs, long c, int wide, long bias, int floor, boolean add, long argument) {
        run(Operand.VECTOR, a, b, bs, c, wide, bias, floor, add, argument);
    }

    private void run(
            Operand operand, long a, long b, long bs, long c, int wide, long bias, int floor, boolean add, long at) {
        int vectors = Math.ceilDiv(wide, Lanes.FLOATS), most = vectors > 2 ? HIGH_WIDE : HIGH;
        set(at + A, a);
        set(at + B, b);
        set(at + B_DEEP, bs);
        set(at + C, c);
        set(at + TAPS, table.address());
        set(at + TAP_COUNT, taps);
        set(at + K, kc);
        set(at + DEEP, cs);
        set(at + BIAS, bias);
        setInt(at + FLOOR, floor);
        setInt(at + MASK, 0xffff >> (-wide & Lanes.FLOATS - 1));
        // tiles of equal heights, or one less
        int tiles = Math.ceilDiv(count, most), row = 0;
        while (row < count) {
            int high = Math.ceilDiv(count - row, tiles), alike = tiles - (high * tiles - (count - row));
            long work = (long) high * vectors * ((long) taps * kc + STORE);
            int some = Math.clamp(WORK / work, 1, alike);
            set(at + ROWS, sources + (long) LONG * row);
            set(at + RESULTS, results + (long) LONG * row);
            set(at + TILES, some);
            set(at + ENTRY, ENTRIES[entry(vectors, high, operand, add)]);
            CODE.run(at, 0, 0, 0, 0, 0);
            row += some * high;
            tiles -= some;
        }
        Reference.reachabilityFence(this);
    }

    private static int entry(int vectors, int rows, Operand operand, boolean add) {
        return vectors << 6 | rows << 2 | operand.ordinal() << 1 | (add ? 1 : 0);
    }

    private static MachineCode make() {
        if (!VectorAssembler.isWanted()) {
            return null;
        }
        VectorAssembler code = new VectorAssembler();
        code.jumpBehindStart(RAX, argument(ENTRY));
        for (boolean add : new boolean[] {false, true}) {
            for (int rows = 1; rows <= HIGH; rows++) {
                write(code, 1, rows, Operand.VECTOR, add);
                write(code, 1, rows, Operand.ELEMENT, add);
                write(code, 2, rows, Operand.ELEMENT, add);
            }
        }
        for (int rows = 1; rows <= HIGH_WIDE; rows++) {
            write(code, 4, rows, Operand.ELEMENT, false);
        }
        return code.brief();
    }

    private static void write(VectorAssembler code, int vectors, int rows, Operand operand, boolean add) {
        ENTRIES[entry(vectors, rows, operand, add)] = code.here();
        code.push(RBX, RBP, R12, R13, R14, R15);
        code.load(R13, argument(ASKED));
        code.load(R14, argument(ALSO_ASKED));
        code.loadMask(1, argument(MASK));
        int start = code.here();
        writeSums(code, vectors, rows, operand);
        writeStores(code, vectors, rows, add);
        code.decrement(argument(TILES));
        code.jumpUnlessZero(start);
        code.store(R13, argument(ASKED));
        code.store(R14, argument(ALSO_ASKED));
        code.pop(R15, R14, R13, R12, RBP, RBX);
        code.end();
    }

    /** Rows of A in eight registers, the offset from them in r12, B in rsi, the tap in r15. */
    private static void writeSums(VectorAssembler code, int vectors, int rows, Operand operand) {
        code.load(R12, argument(ROWS));
        for (int i = 0; i < rows; i++) {
            code.load(ROW[i], Address.of(R12, LONG * i));
            code.add(ROW[i], argument(A));
        }
        code.lea(R12, Address.of(R12, LONG * rows));
        code.store(R12, argument(ROWS));
        for (int i = 0; i < rows * vectors; i++) {
            code.zero(i);
        }
        code.load(R15, argument(TAPS));
        code.load(RBP, argument(TAP_COUNT));
        code.store(RBP, argument(TAPS_LEFT));
        int tap = code.here();
        code.load(R12, Address.of(R15, 0));
        code.load(RSI, Address.of(R15, LONG));
        code.multiply(RSI, argument(B_DEEP));
        code.add(RSI, argument(B));
        code.load(RBP, argument(K));
        int step = code.here();
        for (int v = 0; v < vectors; v++) {
            code.loadVector(FIRST_OF_B + v, Address.of(RSI, v * Lanes.BYTES));
        }
        for (int i = 0; i < rows; i++) {
            Address element = Address.of(ROW[i], R12, 1);
            if (operand == Operand.VECTOR) {
                code.multiplyAddVector(i, FIRST_OF_B, element);
            } else if (vectors == 1) {
                code.multiplyAddElement(i, FIRST_OF_B, element);
            } else {
                code.broadcast(ELEMENT, element);
                for (int v = 0; v < vectors; v++) {
                    code.multiplyAdd(i * vectors + v, FIRST_OF_B + v, ELEMENT);
                }
            }
        }
        code.add(R12, argument(DEEP));
        code.add(RSI, argument(B_DEEP));
        code.prefetchIntoSecond(Address.of(R13, 0));
        code.prefetchIntoSecond(Address.of(R14, 0));
        code.add(R13, argument(LINE));
        code.add(R14, argument(ALSO_LINE));
        code.decrement(RBP);
        code.jumpUnlessZero(step);
        code.lea(R15, Address.of(R15, TAP));
        code.decrement(argument(TAPS_LEFT));
        code.jumpUnlessZero(tap);
    }

    /** The row of C in rax, the one that is asked for in rcx, where they are in the table in rbx. */
    private static void writeStores(VectorAssembler code, int vectors, int rows, boolean add) {
        code.load(RBX, argument(RESULTS));
        if (!add) {
            code.load(RDX, argument(BIAS));
            code.broadcast(LOW, argument(FLOOR));
            for (int v = 0; v < vectors; v++) {
                code.loadVector(FIRST_OF_B + v, Address.of(RDX, v * Lanes.BYTES));
            }
        }
        for (int i = 0; i < rows; i++) {
            code.load(RAX, Address.of(RBX, LONG * i));
            code.add(RAX, argument(C));
            code.load(RCX, Address.of(RBX, LONG * (i + rows)));
            code.add(RCX, argument(C));
            for (int v = 0; v < vectors; v++) {
                int sum = i * vectors + v, mask = v + 1 < vectors ? 0 : 1;
                Address at = Address.of(RAX, v * Lanes.BYTES);
                if (add) {
                    code.addVectors(sum, sum, at, mask);
                } else {
                    code.addVectors(sum, FIRST_OF_B + v, sum);
                    code.greater(sum, LOW, sum);
                }
                code.storeVector(sum, at, mask);
                code.prefetchToWrite(Address.of(RCX, v * Lanes.BYTES));
            }
        }
        code.lea(RBX, Address.of(RBX, LONG * rows));
        code.store(RBX, argument(RESULTS));
    }
}
