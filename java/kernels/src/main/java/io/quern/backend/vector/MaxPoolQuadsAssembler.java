package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.argument;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;

/** Writes the machine code of {@link MaxPoolQuadsCode}. */
final class MaxPoolQuadsAssembler {
    /**
     * Where in the argument the numbers of a call are, in bytes: the first image row, that of its gradient, and the first result or its
     * gradient.
     */
    static final int X = 0, DX = 8, Y = 16, ROWS = 24;
    /** Bytes: of an image row, of two, of a row of results, and of a pixel. */
    static final int LINE = 32, X_STEP = 40, Y_STEP = 48, PIXEL = 56;
    /** Windows one by one; of each the whole vectors, and whether there is more, and its bytes. */
    static final int WINDOWS = 64, VECTORS = 72, REST = 80, REST_BYTES = 88;
    /** Whole groups, whether there is another, and bytes of the results of one. */
    static final int GROUPS = 96, PART = 104, GROUP = 112;
    /** Bytes to a pixel that no window reaches, its whole vectors, and whether there is more. */
    static final int BEHIND = 120, BEHIND_VECTORS = 128, BEHIND_REST = 136;
    /** Lanes as in the masks from {@link #LANES} on: of whole groups, of the one that is not, and of what is left of a pixel. */
    static final int GROUP_LANES = 144, PART_LANES = 156, REST_LANES = 168;
    /** Where a {@link MaxPoolQuadsCode#table} is, or of as many bytes anything. */
    static final int TABLE = 184, ARGUMENT = 4 * 64;

    /** Masks: lanes of a result, and of the two vectors of an image row that a group has; then what is compared. */
    private static final int LANES = 1, LOW_LANES = 2, HIGH_LANES = 3, NAN = 4, RIGHT = 4, LOWER_RIGHT = 5, LOWER = 6;

    /** Vector registers: zeros, a {@link MaxPoolQuadsCode#table}, the pixels of a window, dy, and what the pixels get of it. */
    private static final int ZERO = 0,
            FIRST = 1,
            SECOND = 2,
            TO_LOW = 3,
            TO_HIGH = 4,
            V = 5,
            DY = 9,
            D = 10,
            SPARE = 14;

    private final VectorAssembler code = new VectorAssembler();
    private final boolean gradients;

    private MaxPoolQuadsAssembler(boolean gradients) {
        this.gradients = gradients;
    }

    /** Null on other machines and systems. */
    static MachineCode make(boolean gradients) {
        return VectorAssembler.isWanted() ? new MaxPoolQuadsAssembler(gradients).write() : null;
    }

    /** The image row in rax, the one below in rcx, those of its gradient in rdx and r9; the results or dy in rsi. */
    private MachineCode write() {
        code.push(RBP);
        code.zero(ZERO);
        code.load(R8, argument(PIXEL));
        code.load(RAX, argument(TABLE));
        for (int i = 0; i < 4; i++) {
            code.loadVector(FIRST + i, Address.of(RAX, i * Lanes.BYTES));
        }
        int row = code.here();
        loadRows(RAX, RCX, X);
        loadRows(RDX, R9, DX);
        code.load(RSI, argument(Y));
        loadLanes(REST_LANES);
        code.load(R10, argument(WINDOWS));
        int behind = code.jumpIfZero(R10), window = code.here();
        code.loop(argument(VECTORS), () -> writeWindow(0));
        code.loop(argument(REST), () -> writeWindow(LANES));
        for (int pointer : images()) {
            code.add(pointer, R8);
        }
        code.decrement(R10);
        code.jumpUnlessZero(window);
        code.land(behind);
        loadLanes(GROUP_LANES);
        code.loop(argument(GROUPS), this::writeGroup);
        loadLanes(PART_LANES);
        code.loop(argument(PART), this::writeGroup);
        if (gradients) {
            writeBehind();
        }
        step(X, X_STEP);
        step(DX, X_STEP);
        step(Y, Y_STEP);
        code.decrement(argument(ROWS));
        code.jumpUnlessZero(row);
        code.pop(RBP);
        code.end();
        return code.brief();
    }

    private int[] images() {
        return gradients ? new int[] {RAX, RCX, RDX, R9} : new int[] {RAX, RCX};
    }

    private void loadRows(int upper, int lower, int from) {
        code.load(upper, argument(from));
        code.load(lower, argument(LINE));
        code.add(lower, upper);
    }

    private void loadLanes(int from) {
        for (int i = 0; i < 3; i++) {
            code.loadMask(LANES + i, argument(from + 4 * i));
        }
    }

    private void step(int at, int by) {
        code.load(RAX, argument(at));
        code.add(RAX, argument(by));
        code.store(RAX, argument(at));
    }

    /** A vector of channels of a window. */
    private void writeWindow(int mask) {
        int[] rows = {RAX, RCX};
        for (int i = 0; i < 4; i++) {
            int from = rows[i / 2];
            load(V + i, i % 2 == 0 ? Address.of(from, 0) : Address.of(from, R8, 1), mask);
        }
        if (gradients) {
            writeGradients(mask);
            for (int i = 0; i < 2; i++) {
                int to = i == 0 ? RDX : R9;
                code.storeVector(D + 2 * i, Address.of(to, 0), mask);
                code.storeVector(D + 2 * i + 1, Address.of(to, R8, 1), mask);
            }
        } else {
            writeMaxima();
            code.storeVector(V, Address.of(RSI, 0), mask);
        }
        for (int pointer : images()) {
            advance(pointer, mask);
        }
        advance(RSI, mask);
    }

    private void load(int to, Address from, int mask) {
        if (mask == 0) {
            code.loadVector(to, from);
        } else {
            code.loadOrZero(to, from, mask);
        }
    }

    private void advance(int pointer, int mask) {
        if (mask == 0) {
            code.lea(pointer, Address.of(pointer, Lanes.BYTES));
        } else {
            code.add(pointer, argument(REST_BYTES));
        }
    }

    private void writeGroup() {
        int[] rows = {RAX, RCX};
        for (int i = 0; i < 2; i++) {
            int left = V + 2 * i, right = left + 1;
            code.loadOrZero(right, Address.of(rows[i], 0), LOW_LANES);
            code.loadOrZero(SPARE, Address.of(rows[i], Lanes.BYTES), HIGH_LANES);
            code.moveVector(left, right);
            code.selectFloats(left, FIRST, SPARE);
            code.selectFloats(right, SECOND, SPARE);
        }
        if (gradients) {
            writeGradients(LANES);
            for (int i = 0; i < 2; i++) {
                int to = i == 0 ? RDX : R9, left = D + 2 * i, right = left + 1;
                code.moveVector(SPARE, left);
                code.selectFloats(SPARE, TO_LOW, right);
                code.selectFloats(left, TO_HIGH, right);
                code.storeVector(SPARE, Address.of(to, 0), LOW_LANES);
                code.storeVector(left, Address.of(to, Lanes.BYTES), HIGH_LANES);
            }
        } else {
            writeMaxima();
            code.storeVector(V, Address.of(RSI, 0), LANES);
        }
        for (int pointer : images()) {
            code.add(pointer, argument(GROUP));
            code.add(pointer, argument(GROUP));
        }
        code.add(RSI, argument(GROUP));
    }

    /** The rows first. */
    private void writeMaxima() {
        code.takeLarger(V, V + 2, NAN);
        code.takeLarger(V + 1, V + 3, NAN);
        code.takeLarger(V, V + 1, NAN);
    }

    /** Of the pixels, what each gets of dy. */
    private void writeGradients(int mask) {
        code.addVectors(DY, ZERO, Address.of(RSI, 0), mask);
        takeLargest(V, V + 1, RIGHT);
        takeLargest(V + 2, V + 3, LOWER_RIGHT);
        takeLargest(V, V + 2, LOWER);
        part(DY, D, D + 2, LOWER);
        part(D, D, D + 1, RIGHT);
        part(D + 2, D + 2, D + 3, LOWER_RIGHT);
    }

    /** a = a >= b or a is NaN ? a : b; where it is b into the mask. */
    private void takeLargest(int a, int b, int mask) {
        code.neitherNaN(mask, a, a);
        code.andNotGreaterOrEqual(mask, a, b);
        code.moveWhere(a, b, mask);
    }

    /** The lanes of the mask to one vector, the others to another, among zeros. */
    private void part(int from, int others, int lanes, int mask) {
        code.moveOrZero(lanes, from, mask);
        code.xorVectors(others, from, lanes);
    }

    /** Zeros for the pixel that no window reaches. */
    private void writeBehind() {
        loadLanes(REST_LANES);
        code.load(RDX, argument(DX));
        code.add(RDX, argument(BEHIND));
        code.load(R9, argument(LINE));
        code.add(R9, RDX);
        int[] rows = {RDX, R9};
        code.loop(argument(BEHIND_VECTORS), () -> {
            for (int to : rows) {
                code.storeVector(ZERO, Address.of(to, 0), 0);
                advance(to, 0);
            }
        });
        code.loop(argument(BEHIND_REST), () -> {
            for (int to : rows) {
                code.storeVector(ZERO, Address.of(to, 0), LANES);
            }
        });
    }
}
