package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;

/**
 * Copies of pieces of floats, and zeros, as machine code, for x86-64 with AVX-512: rows of pieces with any strides in few calls, where
 * each of the {@link Copies} is too short for one.
 */
final class CopyCode {
    /** Vectors of a call about, where a piece counts as one more: some microseconds, see {@link MachineCode#brief}. */
    private static final int WORK = 1 << 12;
    /** Bytes from which a call costs little beside their copies; a piece counts as one more vector. */
    private static final int LONG = 1536;

    /** Where in the argument the numbers of a call are, in bytes. */
    private static final int FROM = 0, FROM_ROW = 8, FROM_PIECE = 16, TO = 24, TO_ROW = 32, TO_PIECE = 40;

    private static final int ROWS = 48, PIECES = 56, VECTORS = 64, REST = 72, WRITTEN = 80, ENTRY = 88, ARGUMENT = 96;

    /** Masks of the partial vector behind the whole ones. */
    private static final int READ_LANES = 1, WRITTEN_LANES = 2;

    private static int copies, zeros;
    private static final MachineCode CODE = make();
    private static final Scratch ARGUMENTS = new ThreadScratch();

    private CopyCode() {}

    /** Whether there is such code. */
    static boolean works() {
        return CODE != null;
    }

    /** Whether so many pieces of so many bytes are worth a call. */
    static boolean takes(long count, long bytes) {
        return CODE != null && count * (bytes + Lanes.BYTES) >= LONG;
    }

    /** A multiple of 4 bytes. */
    static void copy(long from, long to, long bytes) {
        pieces(from, 0, 0, 1, 1, bytes, 0, to, 0, 0);
    }

    /** Zeroes {@code count} pieces of a multiple of 4 bytes, {@code pitch} bytes apart. */
    static void zero(long to, long pitch, long count, long bytes) {
        run(zeros, 0, 0, 0, count, 1, bytes, 0, to, pitch, 0);
    }

    /**
     * Copies rows of pieces.
     *
     * @param row, piece bytes from row to row, and from piece to piece of a row
     * @param bytes of a piece: a multiple of 4
     * @param zeroed bytes that become zero behind a piece whose last vector has room for them
     * @param toRow, toPiece as row and piece, of the copy
     */
    static void pieces(
            long from,
            long row,
            long piece,
            long rows,
            long count,
            long bytes,
            long zeroed,
            long to,
            long toRow,
            long toPiece) {
        run(copies, from, row, piece, rows, count, bytes, zeroed, to, toRow, toPiece);
    }

    private static void run(
            int entry,
            long from,
            long row,
            long piece,
            long rows,
            long count,
            long bytes,
            long zeroed,
            long to,
            long toRow,
            long toPiece) {
        long part = (long) WORK * Lanes.BYTES;
        for (; bytes > part; bytes -= part, from += part, to += part) {
            part(entry, from, row, piece, rows, count, part, 0, to, toRow, toPiece);
        }
        if (bytes > 0) {
            part(entry, from, row, piece, rows, count, bytes, zeroed, to, toRow, toPiece);
        }
    }

    /** A part of each piece: {@link #WORK} at most. */
    private static void part(
            int entry,
            long from,
            long row,
            long piece,
            long rows,
            long count,
            long bytes,
            long zeroed,
            long to,
            long toRow,
            long toPiece) {
        long argument = ARGUMENTS.address(ARGUMENT), vectors = bytes / Lanes.BYTES, rest = bytes % Lanes.BYTES / 4;
        set(argument + ENTRY, entry);
        set(argument + FROM_ROW, row);
        set(argument + FROM_PIECE, piece);
        set(argument + TO_ROW, toRow);
        set(argument + TO_PIECE, toPiece);
        set(argument + VECTORS, vectors);
        set(argument + REST, (1 << rest) - 1);
        set(argument + WRITTEN, (1 << rest + zeroed / 4) - 1);
        long wide = Math.clamp(WORK / (vectors + 1), 1, Math.max(1, count)),
                high = Math.max(1, WORK / (wide * (vectors + 1)));
        for (long i = 0, some; i < rows; i += some) {
            some = Math.min(high, rows - i);
            for (long j = 0; j < count; j += wide) {
                set(argument + FROM, from + i * row + j * piece);
                set(argument + TO, to + i * toRow + j * toPiece);
                set(argument + ROWS, some);
                set(argument + PIECES, Math.min(wide, count - j));
                CODE.run(argument, 0, 0, 0, 0, 0);
            }
        }
    }

    private static MachineCode make() {
        if (!VectorAssembler.isWanted()) {
            return null;
        }
        VectorAssembler code = new VectorAssembler();
        code.jumpBehindStart(RAX, argument(ENTRY));
        copies = code.here();
        write(code, true);
        zeros = code.here();
        write(code, false);
        return code.brief();
    }

    /** Rows from r8 and to r9, pieces from rax and to rdx, their vectors from rbx and to rsi. */
    private static void write(VectorAssembler code, boolean copies) {
        code.push(RBX, RBP);
        code.load(R8, argument(FROM));
        code.load(R9, argument(TO));
        code.load(R10, argument(FROM_PIECE));
        code.load(R11, argument(TO_PIECE));
        code.loadMask(READ_LANES, argument(REST));
        code.loadMask(WRITTEN_LANES, argument(WRITTEN));
        code.zero(0);
        int row = code.here();
        code.lea(RAX, Address.of(R8, 0));
        code.lea(RDX, Address.of(R9, 0));
        code.load(RCX, argument(PIECES));
        int piece = code.here();
        code.lea(RBX, Address.of(RAX, 0));
        code.lea(RSI, Address.of(RDX, 0));
        code.loop(argument(VECTORS), () -> {
            if (copies) {
                code.loadVector(0, Address.of(RBX, 0));
                code.lea(RBX, Address.of(RBX, Lanes.BYTES));
            }
            code.storeVector(0, Address.of(RSI, 0), 0);
            code.lea(RSI, Address.of(RSI, Lanes.BYTES));
        });
        code.load(RBP, argument(WRITTEN));
        int whole = code.jumpIfZero(RBP);
        if (copies) {
            code.loadOrZero(0, Address.of(RBX, 0), READ_LANES);
        }
        code.storeVector(0, Address.of(RSI, 0), WRITTEN_LANES);
        code.land(whole);
        code.add(RAX, R10);
        code.add(RDX, R11);
        code.decrement(RCX);
        code.jumpUnlessZero(piece);
        code.add(R8, argument(FROM_ROW));
        code.add(R9, argument(TO_ROW));
        code.decrement(argument(ROWS));
        code.jumpUnlessZero(row);
        code.pop(RBP, RBX);
        code.end();
    }
}
