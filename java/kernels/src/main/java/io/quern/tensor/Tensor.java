package io.quern.tensor;

import io.quern.backend.ffi.NativeMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.function.DoubleSupplier;

/**
 * A typed, strided window on a block of memory.
 *
 * <p>Activations are NHWC, matrices row-major. Strides and offset count elements. A tensor made by {@link #allocate}
 * owns its memory and is closed by its user; views and workspace tensors own nothing.
 */
public final class Tensor implements AutoCloseable {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfDouble F64 = ValueLayout.JAVA_DOUBLE_UNALIGNED;
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfShort BF16 = ValueLayout.JAVA_SHORT_UNALIGNED;

    private final Storage storage;
    private final boolean owner;
    private final DType dtype;
    private final Shape shape;
    private final long[] strides;
    private final long offset;
    private final boolean contiguous;

    private Tensor(Storage storage, boolean owner, DType dtype, Shape shape, long[] strides, long offset) {
        this.storage = storage;
        this.owner = owner;
        this.dtype = dtype;
        this.shape = shape;
        this.strides = strides;
        this.offset = offset;
        this.contiguous = isContiguous(shape, strides);
    }

    /** A zeroed tensor in host memory; close it. */
    public static Tensor allocate(DType dtype, Shape shape) {
        return allocate(Memory.host(), dtype, shape);
    }

    /** A zeroed tensor; close it. */
    public static Tensor allocate(Memory memory, DType dtype, Shape shape) {
        Storage storage = memory.allocate(byteSize(dtype, shape));
        return new Tensor(storage, true, dtype, shape, shape.contiguousStrides(), 0);
    }

    /** A host tensor holding the given values in row-major order; close it. */
    public static Tensor of(Shape shape, float... values) {
        if (values.length != shape.elements()) {
            throw new ArgumentException(values.length + " values given for shape " + shape);
        }
        return allocate(DType.F32, shape).copyFrom(values);
    }

    /** A contiguous window at the start of a storage, which stays its owner's to close. */
    public static Tensor over(Storage storage, DType dtype, Shape shape) {
        if (byteSize(dtype, shape) > storage.byteSize()) {
            throw new ArgumentException(
                    "shape " + shape + " of " + dtype + " needs more than the " + storage.byteSize() + " bytes given");
        }
        return new Tensor(storage, false, dtype, shape, shape.contiguousStrides(), 0);
    }

    static long byteSize(DType dtype, Shape shape) {
        try {
            return Math.multiplyExact(shape.elements(), dtype.bytes());
        } catch (ArithmeticException e) {
            throw new ArgumentException("shape " + shape + " of " + dtype + " exceeds the address range");
        }
    }

    private static boolean isContiguous(Shape shape, long[] strides) {
        long expected = 1;
        for (int axis = shape.rank() - 1; axis >= 0; axis--) {
            if (shape.size(axis) != 1 && strides[axis] != expected) {
                return shape.elements() == 0;
            }
            expected *= shape.size(axis);
        }
        return true;
    }

    public DType dtype() {
        return dtype;
    }

    public Shape shape() {
        return shape;
    }

    public int rank() {
        return shape.rank();
    }

    public long size(int axis) {
        return shape.size(axis);
    }

    public int dim(int axis) {
        return shape.dim(axis);
    }

    public long elements() {
        return shape.elements();
    }

    public Memory memory() {
        return storage.memory();
    }

    /** Stride of an axis in elements. */
    public long stride(int axis) {
        return strides[shape.axis(axis)];
    }

    /** True when the elements lie in row-major order without gaps. */
    public boolean isContiguous() {
        return contiguous;
    }

    /** Address of the first element; checks that the memory is still open. */
    public long address() {
        return storage.address() + offset * dtype.bytes();
    }

    /** True when the two tensors' address ranges meet; interleaved views of one block count as overlapping. */
    public boolean overlaps(Tensor other) {
        if (memory() != other.memory() || elements() == 0 || other.elements() == 0) {
            return false;
        }
        long start = address();
        long otherStart = other.address();
        return start < otherStart + other.spanBytes() && otherStart < start + spanBytes();
    }

    /** True when both are the same window: same first element, shape, strides and dtype. */
    public boolean sameWindow(Tensor other) {
        return memory() == other.memory()
                && address() == other.address()
                && dtype == other.dtype
                && shape.equals(other.shape)
                && Arrays.equals(strides, other.strides);
    }

    private long spanBytes() {
        long last = 0;
        for (int axis = 0; axis < strides.length; axis++) {
            last += (shape.size(axis) - 1) * strides[axis];
        }
        return (last + 1) * dtype.bytes();
    }

    /** The same elements under another shape. Only for contiguous tensors. */
    public Tensor reshape(Shape to) {
        if (!contiguous || to.elements() != elements()) {
            throw new ArgumentException("cannot view " + this + " as " + to
                    + (contiguous ? ": other number of elements" : ": it is not contiguous"));
        }
        return new Tensor(storage, false, dtype, to, to.contiguousStrides(), offset);
    }

    public Tensor reshape(long... extents) {
        return reshape(Shape.of(extents));
    }

    /** The part {@code from <= index < to} of an axis. */
    public Tensor slice(int axis, long from, long to) {
        int resolved = shape.axis(axis);
        if (from < 0 || to < from || to > shape.size(resolved)) {
            throw new ArgumentException("slice " + from + ".." + to + " is outside axis " + axis + " of " + this);
        }
        return new Tensor(
                storage,
                false,
                dtype,
                shape.with(resolved, to - from),
                strides.clone(),
                offset + from * strides[resolved]);
    }

    /** Axis {@code i} of the result is axis {@code axes[i]} of this tensor. */
    public Tensor permute(int... axes) {
        if (axes.length != rank()
                || Arrays.stream(axes).map(shape::axis).distinct().count() != rank()) {
            throw new ArgumentException(Arrays.toString(axes) + " is not a permutation of the axes of " + this);
        }
        long[] extents = new long[axes.length];
        long[] permuted = new long[axes.length];
        for (int i = 0; i < axes.length; i++) {
            extents[i] = shape.size(axes[i]);
            permuted[i] = strides[shape.axis(axes[i])];
        }
        return new Tensor(storage, false, dtype, Shape.of(extents), permuted, offset);
    }

    /** Address of the element with the given row-major rank among the logical elements. */
    private long addressOf(long flat) {
        if (flat < 0 || flat >= elements()) {
            throw new ArgumentException("element " + flat + " is outside " + this);
        }
        long element = offset;
        if (contiguous) {
            element += flat;
        } else {
            long rest = flat;
            for (int axis = strides.length - 1; axis >= 0; axis--) {
                long extent = shape.size(axis);
                element += rest % extent * strides[axis];
                rest /= extent;
            }
        }
        return storage.address() + element * dtype.bytes();
    }

    /** Logical element {@code flat} in row-major order, whatever the strides. Host memory only. */
    public double get(long flat) {
        long address = addressOf(flat);
        MemorySegment all = host();
        return switch (dtype) {
            case F32 -> all.get(F32, address);
            case F64 -> all.get(F64, address);
            case I32 -> all.get(I32, address);
            case BF16 -> Float.intBitsToFloat(all.get(BF16, address) << 16);
        };
    }

    /**
     * Sets logical element {@code flat}, rounding once to nearest, ties to even. To I32, NaN becomes 0 and what is out of
     * range the nearest end of it. Host memory only.
     */
    public void set(long flat, double value) {
        long address = addressOf(flat);
        MemorySegment all = host();
        switch (dtype) {
            case F32 -> all.set(F32, address, (float) value);
            case F64 -> all.set(F64, address, value);
            case I32 -> all.set(I32, address, (int) Math.rint(value));
            case BF16 -> all.set(BF16, address, BFloat16.fromDouble(value));
        }
    }

    /** The single element of a scalar or one-element tensor; from a device, a copy that waits for all work before it. */
    public double item() {
        if (elements() != 1) {
            throw new ArgumentException("item() needs one element, this is " + this);
        }
        return isOnHost() ? get(0) : Transfers.fromHostCopy(this, Tensor::item);
    }

    /** True when single elements can be read and set. Whole tensors are copied to and from any memory. */
    public boolean isOnHost() {
        return storage.memory() == Memory.host();
    }

    /** A contiguous copy in the given memory; close it. */
    public Tensor copyTo(Memory memory) {
        Tensor copy = allocate(memory, dtype, shape);
        try {
            return copy.copyFrom(this);
        } catch (RuntimeException e) {
            copy.close();
            throw e;
        }
    }

    private MemorySegment host() {
        if (!isOnHost()) {
            throw new ArgumentException("elements of " + this + " are not in host memory; copy it to the host first");
        }
        return NativeMemory.ALL;
    }

    /** Sets every element. Host memory only; {@code Fill} works on any. */
    public Tensor fill(double value) {
        return fill(() -> value);
    }

    /** Sets every element in row-major order from a source. */
    public Tensor fill(DoubleSupplier source) {
        long elements = elements();
        for (long i = 0; i < elements; i++) {
            set(i, source.getAsDouble());
        }
        return this;
    }

    /** Copies values in row-major order, converting to this dtype. */
    public Tensor copyFrom(float[] values) {
        requireLength(values.length);
        if (!isOnHost()) {
            return Transfers.throughHost(this, host -> host.copyFrom(values));
        }
        if (dtype == DType.F32 && contiguous) {
            MemorySegment.copy(values, 0, host(), F32, address(), values.length);
        } else {
            for (int i = 0; i < values.length; i++) {
                set(i, values[i]);
            }
        }
        return this;
    }

    /** Copies values in row-major order, converting to this dtype. */
    public Tensor copyFrom(int[] values) {
        requireLength(values.length);
        if (!isOnHost()) {
            return Transfers.throughHost(this, host -> host.copyFrom(values));
        }
        for (int i = 0; i < values.length; i++) {
            set(i, values[i]);
        }
        return this;
    }

    /**
     * Copies all elements of a tensor of the same shape, converting the dtype. Between host and device this is a transfer,
     * which waits for the device; there, both must be contiguous.
     */
    public Tensor copyFrom(Tensor source) {
        if (!shape.equals(source.shape)) {
            throw new ArgumentException("cannot copy " + source + " into " + this + ": the shapes differ");
        }
        if (contiguous && source.contiguous && dtype == source.dtype && memory() == source.memory()) {
            memory().copyWithin(source.address(), address(), elements() * dtype.bytes());
        } else if (!isOnHost() || !source.isOnHost()) {
            Transfers.copy(source, this);
        } else {
            Transfers.byElement(source, this);
        }
        return this;
    }

    private void requireLength(int length) {
        if (length != elements()) {
            throw new ArgumentException(length + " values given for " + this);
        }
    }

    int arrayLength() {
        if (elements() > Integer.MAX_VALUE) {
            throw new ArgumentException(this + " has more elements than an array can hold; take slices");
        }
        return (int) elements();
    }

    /** All elements in row-major order. */
    public float[] toFloats() {
        if (!isOnHost()) {
            return Transfers.fromHostCopy(this, Tensor::toFloats);
        }
        float[] values = new float[arrayLength()];
        if (dtype == DType.F32 && contiguous) {
            MemorySegment.copy(host(), F32, address(), values, 0, values.length);
        } else {
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) get(i);
            }
        }
        return values;
    }

    /** All elements in row-major order. */
    public int[] toInts() {
        if (!isOnHost()) {
            return Transfers.fromHostCopy(this, Tensor::toInts);
        }
        int[] values = new int[arrayLength()];
        if (dtype == DType.I32 && contiguous) {
            MemorySegment.copy(host(), I32, address(), values, 0, values.length);
        } else {
            for (int i = 0; i < values.length; i++) {
                values[i] = (int) get(i);
            }
        }
        return values;
    }

    public boolean isOpen() {
        return storage.isOpen();
    }

    /** Frees the memory if this tensor owns it; otherwise does nothing. */
    @Override
    public void close() {
        if (owner) {
            storage.close();
        }
    }

    /** Dtype, shape and, if they are not row-major, strides. */
    @Override
    public String toString() {
        return dtype + "[" + shape + "]" + (contiguous ? "" : " strides " + Arrays.toString(strides));
    }
}
