package io.quern.data;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A NumPy array in memory: type, shape and elements in row-major order. */
public final class NpyArray {
    private final NpyType type;
    private final Shape shape;
    private final ByteBuffer data;

    NpyArray(NpyType type, Shape shape, byte[] bytes) {
        this.type = type;
        this.shape = shape;
        this.data = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static NpyArray zeros(NpyType type, Shape shape, long values) {
        if (values != shape.elements()) {
            throw new ArgumentException(values + " values given for shape " + shape);
        }
        long bytes = shape.elements() * type.bytes();
        if (bytes > Input.MAX_ARRAY) {
            throw new ArgumentException(
                    "an NPY array of " + shape + " needs " + bytes + " bytes, at most " + Input.MAX_ARRAY);
        }
        return new NpyArray(type, shape, new byte[(int) bytes]);
    }

    /** Values in row-major order, converted to the type. */
    public static NpyArray of(NpyType type, Shape shape, double... values) {
        NpyArray array = zeros(type, shape, values.length);
        for (int i = 0; i < values.length; i++) {
            type.put(array.data, i, values[i]);
        }
        return array;
    }

    public static NpyArray of(Shape shape, float... values) {
        NpyArray array = zeros(NpyType.F4, shape, values.length);
        array.data.asFloatBuffer().put(values);
        return array;
    }

    public static NpyArray of(Shape shape, int... values) {
        NpyArray array = zeros(NpyType.I4, shape, values.length);
        array.data.asIntBuffer().put(values);
        return array;
    }

    public static NpyArray of(Shape shape, long... values) {
        NpyArray array = zeros(NpyType.I8, shape, values.length);
        array.data.asLongBuffer().put(values);
        return array;
    }

    /** The elements of a host tensor: F32 as f4, F64 as f8, I32 as i4, BF16 widened to f4. */
    public static NpyArray of(Tensor tensor) {
        NpyType type = switch (tensor.dtype()) {
            case F32, BF16 -> NpyType.F4;
            case F64 -> NpyType.F8;
            case I32 -> NpyType.I4;
        };
        NpyArray array = zeros(type, tensor.shape(), tensor.elements());
        for (int i = 0; i < tensor.elements(); i++) {
            type.put(array.data, i, tensor.get(i));
        }
        return array;
    }

    public NpyType type() {
        return type;
    }

    public Shape shape() {
        return shape;
    }

    /** Number of elements. */
    public int size() {
        return (int) shape.elements();
    }

    /** Element {@code index} in row-major order; exact but for 64-bit integers beyond 2^53. */
    public double get(int index) {
        return type.get(data, index);
    }

    /** Element {@code index} as an integer; real values are truncated. */
    public long getLong(int index) {
        return type == NpyType.I8 ? data.getLong(8 * index) : (long) type.get(data, index);
    }

    public float[] toFloats() {
        float[] values = new float[size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) get(i);
        }
        return values;
    }

    /** Elements as ints; a value outside the int range is an {@link ArgumentException}. */
    public int[] toInts() {
        int[] values = new int[size()];
        for (int i = 0; i < values.length; i++) {
            long value = getLong(i);
            if (value != (int) value) {
                throw new ArgumentException("element " + i + " is " + value + ", outside the int range");
            }
            values[i] = (int) value;
        }
        return values;
    }

    /** A new host tensor; close it. */
    public Tensor toTensor(DType dtype) {
        Tensor tensor = Tensor.allocate(dtype, shape);
        for (int i = 0; i < size(); i++) {
            tensor.set(i, get(i));
        }
        return tensor;
    }

    byte[] bytes() {
        return data.array();
    }

    @Override
    public String toString() {
        return type.descriptor() + "[" + shape + "]";
    }
}
