package io.quern.backend.vector;

import static io.quern.backend.vector.VectorAssembler.*;

import java.util.function.IntConsumer;

/** Machine code that writes a row of floats up to its first cache line, then whole lines, which may pass by the caches, then what is left. */
final class WholeLines {
    private WholeLines() {}

    /**
     * Changes rax, r10, r11 and rbp.
     *
     * @param to register of the row
     * @param length of it in bytes, a line at least
     * @param mask a free one
     * @param part writes a vector at the offset rax: lanes of the mask, or all, a line then, if it is 0
     */
    static void write(VectorAssembler code, int to, Address length, int mask, IntConsumer part) {
        code.lea(R10, Address.of(to, 0));
        code.negate(R10);
        code.and(R10, Lanes.BYTES - 1);
        code.load(R11, length);
        code.subtract(R11, R10);
        code.clear(RAX);
        int aligned = code.jumpIfZero(R10);
        code.shiftRight(R10, 2);
        code.firstLanes(mask, R10, RBP);
        part.accept(mask);
        code.lea(RAX, Address.of(RAX, R10, Float.BYTES));
        code.land(aligned);
        code.lea(R10, Address.of(R11, 0));
        code.shiftRight(R10, 6);
        code.loop(R10, () -> {
            part.accept(0);
            code.lea(RAX, Address.of(RAX, Lanes.BYTES));
        });
        code.and(R11, Lanes.BYTES - 1);
        int whole = code.jumpIfZero(R11);
        code.shiftRight(R11, 2);
        code.firstLanes(mask, R11, RBP);
        part.accept(mask);
        code.land(whole);
    }

    /** Stores what a part has in a register: lanes of the mask, or all if it is 0, past the caches then if so wanted. */
    static void store(VectorAssembler code, int vector, Address to, int mask, boolean past) {
        if (past && mask == 0) {
            code.streamVector(vector, to);
        } else {
            code.storeVector(vector, to, mask);
        }
    }
}
