package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;
import static io.quern.backend.vector.WinogradTransforms.SIDE;

import io.quern.backend.ffi.MachineCode;
import io.quern.backend.vector.WinogradSteps.Kind;
import io.quern.backend.vector.WinogradSteps.Line;
import io.quern.op.Winograd;
import java.util.Arrays;

/**
 * Writes the code of {@link WinogradCode}, and knows where its numbers are. Of what a tile becomes, a group of rows is made at a time:
 * columns are loaded and transformed to that group only, then the rows of the group are transformed and stored.
 */
final class WinogradAssembler {
    /** Where in the argument the numbers of a call are, in bytes: behind the factors. */
    static final int ENTRY = WinogradSteps.FACTORS, COUNT = ENTRY + 8, VECTORS = ENTRY + 16, TO = ENTRY + 24;

    static final int IN_ROW = ENTRY + 32, IN_COLUMN = ENTRY + 40, OUT_ROW = ENTRY + 48, OUT_COLUMN = ENTRY + 56;
    /** Of all but the source. */
    static final int FROM = ENTRY + 64, FROM_STEP = ENTRY + 72, TO_STEP = ENTRY + 80;
    /** The first two of results, the last one of what is checked: results and gradients. */
    static final int BIAS = ENTRY + 88, FLOOR = ENTRY + 96, SEEN = ENTRY + 104;
    /** Sixteen bits for each row and column of a tile that is clipped. */
    static final int ROW_MASKS = ENTRY + 112, COLUMN_MASKS = ENTRY + 120;
    /**
     * Of the source: where its rows are, and sixteen bits for each column, eight bytes for a tile: of the first columns, which a tile before
     * would share, then of what is new with each tile, from the last tile to the first.
     */
    static final int ROWS = ENTRY + 128, FIRST_MASKS = ROWS + 8 * SIDE, TILE_MASKS = FIRST_MASKS;

    static final int ARGUMENT = TILE_MASKS + 8 * (WinogradSource.RUN + 1);

    /** Strides of what is stored: one, three, five. */
    private static final int[] STORED = {R11, R12, R14};
    /** Of the source: its rows, one pixel and three, where a tile goes, and its row. */
    private static final int[] X = {RAX, RCX, RDX, RBX, RSI, R8}, PIXELS = {R9, R10};

    private static final int TILE = R15, SOURCE_ROW = R13;
    /** Of the others: where the input is and its column; strides of columns, and of rows: one, three, five. */
    private static final int INPUT = RAX, COLUMN = RCX, COLUMN_STRIDE = RDX;

    private static final int[] LINES = {RBX, RSI, R8};
    /** Where the output goes, its row, and their stride; the bias of results, which have fewer strides; vectors left. */
    private static final int OUTPUT = R9, ROW = R10, ROW_STRIDE = R13, SHIFTS = R14, LEFT = R15;
    /** Masks: the row's, the first column's, and both together. */
    private static final int ROW_MASK = 1, COLUMN_MASK = 2, BOTH = 6;

    private static final int NONE = -1;
    private static final int[] ENTRIES = new int[4 * Kind.values().length];

    private final VectorAssembler code;
    private final WinogradSteps steps;
    private final Kind kind;
    /** Side of a tile of results, and columns of the input. */
    private final int tile, columns;

    private final boolean clipped;
    /** Registers of the bias, of the lower bound, of zero and of what has been seen. */
    private int shift, low, zero, seen;

    private WinogradAssembler(VectorAssembler code, Kind kind, int taps, boolean clipped) {
        this.code = code;
        this.kind = kind;
        this.clipped = clipped;
        tile = Winograd.tile(taps);
        columns = kind == Kind.FILTER ? taps : kind == Kind.SIGNAL ? tile : SIDE;
        steps = new WinogradSteps(code, kind, taps);
    }

    /** All in one, since a call of what is constant to the compiler takes a fraction of the time of another; null on other machines and systems. */
    static MachineCode make() {
        if (!VectorAssembler.isWanted()) {
            return null;
        }
        VectorAssembler code = new VectorAssembler();
        code.jumpBehindStart(RAX, argument(ENTRY));
        for (Kind kind : Kind.values()) {
            for (int taps = 3; taps <= 5; taps += 2) {
                write(code, kind, taps, false);
                if (kind == Kind.RESULT || kind == Kind.SIGNAL) {
                    write(code, kind, taps, true);
                }
            }
        }
        return code.brief();
    }

    private static void write(VectorAssembler code, Kind kind, int taps, boolean clipped) {
        ENTRIES[entry(kind, taps, clipped)] = code.here();
        new WinogradAssembler(code, kind, taps, clipped).write();
    }

    private static int entry(Kind kind, int taps, boolean clipped) {
        return 4 * kind.ordinal() + (taps == 3 ? 0 : 2) + (clipped ? 1 : 0);
    }

    /** What to set {@link #ENTRY} to. */
    static int place(Kind kind, int taps, boolean clipped) {
        return ENTRIES[entry(kind, taps, clipped)];
    }

    private void write() {
        code.push(RBX, RBP, R12, R13, R14, R15);
        // where there are registers for them besides what is on its way
        steps.writeFactors(tile == 4 || kind != Kind.SOURCE && kind != Kind.GRADIENT);
        if (kind == Kind.SOURCE) {
            writeSource();
        } else {
            writeTiles();
        }
        code.pop(R15, R14, R13, R12, RBP, RBX);
        code.end();
    }

    /** A stride, its triple, and five times it. */
    private void writeStrides(int number, int... registers) {
        code.load(registers[0], argument(number));
        for (int i = 1; i < registers.length; i++) {
            code.lea(registers[i], Address.of(registers[0], registers[0], 2 * i));
        }
    }

    /** So many strides behind a base. */
    private static Address behind(int base, int[] strides, int count) {
        return switch (count) {
            case 0 -> Address.of(base, 0);
            case 3 -> Address.of(base, strides[1], 1);
            case 5 -> Address.of(base, strides[2], 1);
            default -> Address.of(base, strides[0], count);
        };
    }

    /** A register that holds what lies so many strides behind a base: the spare one, but for none. */
    private int writeBehind(int spare, int base, int stride, int count) {
        if (count == 0) {
            return base;
        }
        code.lea(spare, Address.of(base, stride, Integer.highestOneBit(count)));
        if (Integer.bitCount(count) > 1) {
            code.add(spare, stride);
        }
        return spare;
    }

    /** To the next vector of channels. */
    private void writeAdvance(int... registers) {
        for (int register : registers) {
            code.lea(register, Address.of(register, Lanes.BYTES));
        }
    }

    /** Values in memory: loaded when first asked for. */
    private abstract class Memory implements Line {
        private final int[] registers = new int[SIDE];

        Memory() {
            Arrays.fill(registers, NONE);
        }

        abstract void load(int register, int i);

        @Override
        public int see(int i) {
            if (registers[i] == NONE) {
                registers[i] = own(i);
            }
            return registers[i];
        }

        @Override
        public int own(int i) {
            int register = steps.take();
            load(register, i);
            return register;
        }

        void give() {
            for (int register : registers) {
                if (register != NONE) {
                    steps.give(register);
                }
            }
        }
    }

    /** Values in registers. */
    private record Held(VectorAssembler code, WinogradSteps steps, int[] registers) implements Line {
        @Override
        public int see(int i) {
            return registers[i];
        }

        @Override
        public int own(int i) {
            int register = steps.take();
            code.moveVector(register, registers[i]);
            return register;
        }
    }

    /** Transforms a column to a group of rows. */
    private void writeColumn(int group, Memory column, int[][] rows, int at) {
        int[] values = steps.group(group, column, NONE);
        column.give();
        for (int i = 0; i < values.length; i++) {
            rows[i][at] = values[i];
        }
    }

    /** Transforms a row, and stores it. */
    private void writeRow(int[] values, int row, int to) {
        if (clipped && kind == Kind.RESULT) {
            code.loadMask(ROW_MASK, argument(ROW_MASKS + Short.BYTES * row));
        }
        int[][] groups = steps.groups();
        for (int group = 0; group < groups.length; group++) {
            int[] made = steps.group(group, new Held(code, steps, values), kind == Kind.RESULT ? shift : NONE);
            for (int i = 0; i < made.length; i++) {
                int column = groups[group][i];
                if (kind == Kind.RESULT || kind == Kind.GRADIENT) {
                    code.multiplyAdd(seen, made[i], zero);
                }
                if (kind == Kind.RESULT) {
                    code.greater(made[i], low, made[i]);
                }
                if (clipped && kind == Kind.RESULT) {
                    code.andMasks(BOTH, ROW_MASK, COLUMN_MASK + column);
                    code.storeVector(made[i], behind(to, STORED, column), BOTH);
                } else {
                    code.storeVector(made[i], behind(to, STORED, column), 0);
                }
                steps.give(made[i]);
            }
        }
    }

    // the source: one vector of channels after the other, of each the tiles of a row; columns that the next tile shares
    // stay in registers

    private void writeSource() {
        writeStrides(IN_COLUMN, PIXELS);
        writeStrides(OUT_COLUMN, STORED);
        int vector = code.here(), shared = SIDE - tile;
        for (int i = 0; i <= SIDE; i++) {
            int register = i == SIDE ? TILE : X[i], number = i == SIDE ? TO : ROWS + 8 * i;
            code.load(register, argument(number));
            code.lea(SOURCE_ROW, Address.of(register, Lanes.BYTES));
            code.store(SOURCE_ROW, argument(number));
        }
        int[][] kept = new int[SIDE][SIDE];
        writeMasks(shared, argument(FIRST_MASKS));
        for (int group = 0; group < steps.groups().length; group++) {
            writePixels(group, shared, kept, 0);
        }
        writePast(shared);
        code.load(RBP, argument(COUNT));
        int start = code.here();
        writeMasks(tile, new Address(RDI, RBP, Long.BYTES, TILE_MASKS));
        for (int group = 0; group < steps.groups().length; group++) {
            writePixels(group, tile, kept, shared);
            for (int row : steps.groups()[group]) {
                code.lea(SOURCE_ROW, row == 0 ? Address.of(TILE, 0) : Address.of(SOURCE_ROW, STORED[1], 2));
                writeRow(kept[row], row, SOURCE_ROW);
                for (int i = 0; i < shared; i++) {
                    code.moveVector(kept[row][i], kept[row][tile + i]);
                }
                steps.give(Arrays.copyOfRange(kept[row], shared, SIDE));
            }
        }
        writePast(tile);
        code.add(TILE, PIXELS[0]);
        code.decrement(RBP);
        code.jumpUnlessZero(start);
        code.decrement(argument(VECTORS));
        code.jumpUnlessZero(vector);
    }

    /** Of pixels that are outside the image nothing is loaded. */
    private void writeMasks(int pixels, Address first) {
        for (int i = 0; i < pixels; i++) {
            Address at = new Address(first.base(), first.index(), first.scale(), first.offset() + Short.BYTES * i);
            code.loadMask(COLUMN_MASK + i, at);
        }
    }

    /** Transforms the columns of some pixels to a group of rows. */
    private void writePixels(int group, int pixels, int[][] kept, int first) {
        int[] rows = steps.groups()[group];
        int[][] made = new int[rows.length][];
        for (int i = 0; i < rows.length; i++) {
            made[i] = kept[rows[i]];
        }
        for (int pixel = 0; pixel < pixels; pixel++) {
            int column = pixel;
            Memory memory = new Memory() {
                @Override
                void load(int register, int i) {
                    code.loadOrZero(register, behind(X[i], PIXELS, column), COLUMN_MASK + column);
                }
            };
            writeColumn(group, memory, made, first + pixel);
        }
    }

    private void writePast(int pixels) {
        for (int x : X) {
            code.lea(x, Address.of(x, PIXELS[0], pixels));
        }
    }

    // the others: one tile, or element of the filter, after the other, of each all vectors of channels

    private void writeTiles() {
        boolean result = kind == Kind.RESULT, checks = result || kind == Kind.GRADIENT;
        if (checks) {
            zero = steps.take();
            seen = steps.take();
            code.zero(zero);
            code.load(INPUT, argument(SEEN));
            code.loadVector(seen, Address.of(INPUT, 0));
        }
        writeStrides(IN_ROW, LINES);
        writeStrides(OUT_COLUMN, result ? Arrays.copyOf(STORED, 2) : STORED);
        if (result) {
            shift = steps.take();
            low = steps.take();
            code.broadcast(low, argument(FLOOR));
        }
        code.load(COLUMN_STRIDE, argument(IN_COLUMN));
        code.load(ROW_STRIDE, argument(OUT_ROW));
        if (clipped) {
            writeMasks(tile, argument(COLUMN_MASKS));
        }
        code.load(RBP, argument(COUNT));
        int start = code.here();
        code.load(INPUT, argument(FROM));
        code.load(OUTPUT, argument(TO));
        code.load(LEFT, argument(VECTORS));
        if (result) {
            code.load(SHIFTS, argument(BIAS));
        }
        int vector = code.here();
        if (result) {
            code.loadVector(shift, Address.of(SHIFTS, 0));
            writeAdvance(SHIFTS);
        }
        for (int group = 0; group < steps.groups().length; group++) {
            writeGroup(group);
        }
        writeAdvance(INPUT, OUTPUT);
        code.decrement(LEFT);
        code.jumpUnlessZero(vector);
        writeStep(FROM, FROM_STEP);
        writeStep(TO, TO_STEP);
        code.decrement(RBP);
        code.jumpUnlessZero(start);
        if (checks) {
            code.load(INPUT, argument(SEEN));
            code.storeVector(seen, Address.of(INPUT, 0), 0);
        }
    }

    private void writeStep(int number, int step) {
        code.load(INPUT, argument(number));
        code.add(INPUT, argument(step));
        code.store(INPUT, argument(number));
    }

    private void writeGroup(int group) {
        int[] rows = steps.groups()[group];
        int[][] made = new int[rows.length][columns];
        for (int column = 0; column < columns; column++) {
            int at = column, base = writeBehind(COLUMN, INPUT, COLUMN_STRIDE, column);
            Memory memory = new Memory() {
                @Override
                void load(int register, int i) {
                    if (clipped && kind == Kind.SIGNAL) {
                        code.loadMask(ROW_MASK, argument(ROW_MASKS + Short.BYTES * i));
                        code.andMasks(BOTH, ROW_MASK, COLUMN_MASK + at);
                        code.loadOrZero(register, behind(base, LINES, i), BOTH);
                    } else {
                        code.loadVector(register, behind(base, LINES, i));
                    }
                }
            };
            writeColumn(group, memory, made, column);
        }
        for (int i = 0; i < rows.length; i++) {
            writeRow(made[i], rows[i], writeBehind(ROW, OUTPUT, ROW_STRIDE, rows[i]));
            steps.give(made[i]);
        }
    }
}
