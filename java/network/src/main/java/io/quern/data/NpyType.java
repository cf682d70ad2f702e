package io.quern.data;

import java.nio.ByteBuffer;

/** Element types of NPY files that are read and written, little-endian. */
public enum NpyType {
    F2("<f2", 2),
    F4("<f4", 4),
    F8("<f8", 8),
    U1("|u1", 1),
    I1("|i1", 1),
    I4("<i4", 4),
    I8("<i8", 8),
    /** Booleans, 0 or 1. */
    B1("|b1", 1);

    private final String descriptor;
    private final int bytes;

    NpyType(String descriptor, int bytes) {
        this.descriptor = descriptor;
        this.bytes = bytes;
    }

    /** NumPy's name with byte order, for example {@code <f4}. */
    public String descriptor() {
        return descriptor;
    }

    public int bytes() {
        return bytes;
    }

    /** Exact, but for I8 beyond 2^53. */
    double get(ByteBuffer data, int index) {
        return switch (this) {
            case F2 -> Float.float16ToFloat(data.getShort(2 * index));
            case F4 -> data.getFloat(4 * index);
            case F8 -> data.getDouble(8 * index);
            case U1 -> data.get(index) & 0xff;
            case I1 -> data.get(index);
            case I4 -> data.getInt(4 * index);
            case I8 -> data.getLong(8 * index);
            case B1 -> data.get(index) == 0 ? 0 : 1;
        };
    }

    /** Rounds to nearest even (real types) or truncates as a Java cast does. */
    void put(ByteBuffer data, int index, double value) {
        switch (this) {
            case F2 -> data.putShort(2 * index, Float.floatToFloat16((float) value));
            case F4 -> data.putFloat(4 * index, (float) value);
            case F8 -> data.putDouble(8 * index, value);
            case U1, I1 -> data.put(index, (byte) (int) value);
            case I4 -> data.putInt(4 * index, (int) value);
            case I8 -> data.putLong(8 * index, (long) value);
            case B1 -> data.put(index, (byte) (value == 0 ? 0 : 1));
        }
    }
}
