package io.quern.backend.vector;

/** Of an operand of machine code: [base + index scale + offset], the index in bytes or absent. */
record Address(int base, int index, int scale, int offset) {
    /** No index. */
    static final int NONE = 4;

    static Address of(int base, int offset) {
        return new Address(base, NONE, 1, offset);
    }

    static Address of(int base, int index, int scale) {
        return new Address(base, index, scale, 0);
    }
}
