package io.quern.conformance;

import io.quern.backend.ffi.NativeMemory;
import io.quern.op.CaseTensors;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Storage;
import io.quern.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/** Supplies a case with random tensors, each between guard zones that no kernel may touch. */
final class GuardedTensors implements CaseTensors, AutoCloseable {
    private static final int GUARD_BYTES = 256;
    private static final byte GUARD = (byte) 0xA5;

    private final DType dtype;
    private final Layout layout;
    private final Values values;
    private final Rng rng;
    private final List<Block> blocks = new ArrayList<>();

    /** How a tensor lies in memory. */
    enum Layout {
        /** Row-major from a 64-byte boundary. */
        ALIGNED,
        /** Row-major, one element off the boundary. */
        MISALIGNED,
        /** A window of a larger tensor: gaps behind each row of the last axis. */
        STRIDED
    }

    /** What inputs hold. */
    enum Values {
        UNIFORM,
        /** Uniform, with NaN, infinities, denormals and signed zeros sprinkled in. */
        SPECIAL
    }

    private record Block(Storage storage, Tensor tensor) {}

    GuardedTensors(DType dtype, Layout layout, Values values, long seed) {
        this.dtype = dtype;
        this.layout = layout;
        this.values = values;
        this.rng = Rng.of(seed);
    }

    @Override
    public DType dtype() {
        return dtype;
    }

    @Override
    public Tensor input(DType type, Shape shape, double low, double high) {
        Tensor tensor = allocate(type, shape);
        Rng draws = rng.stream(blocks.size());
        for (long i = 0; i < tensor.elements(); i++) {
            double value = low + (high - low) * draws.uniform(i);
            tensor.set(
                    i,
                    values == Values.SPECIAL ? special(value, low, draws.step(1).below(i, 40)) : value);
        }
        return tensor;
    }

    /** Negative specials only where the op accepts negative values. */
    private static double special(double value, double low, int draw) {
        return switch (draw) {
            case 0 -> Double.NaN;
            case 1 -> Double.POSITIVE_INFINITY;
            case 2 -> low < 0 ? Double.NEGATIVE_INFINITY : value;
            case 3, 4 -> 1e-40;
            case 5 -> low < 0 ? -1e-40 : value;
            case 6 -> 0;
            case 7 -> low < 0 ? -0.0 : value;
            default -> value;
        };
    }

    @Override
    public Tensor finite(long... extents) {
        Tensor tensor = allocate(dtype, Shape.of(extents));
        return rng.stream(blocks.size()).fillUniform(tensor, -1, 1);
    }

    @Override
    public Tensor indices(Shape shape, int low, int high) {
        Tensor tensor = allocate(DType.I32, shape);
        Rng draws = rng.stream(blocks.size());
        for (long i = 0; i < tensor.elements(); i++) {
            tensor.set(i, low + draws.below(i, high - low));
        }
        return tensor;
    }

    @Override
    public Tensor output(DType type, Shape shape) {
        Tensor tensor = allocate(type, shape);
        return tensor.fill(type.isReal() ? Double.NaN : Integer.MIN_VALUE);
    }

    private Tensor allocate(DType type, Shape shape) {
        boolean strided = layout == Layout.STRIDED && shape.rank() > 0;
        Shape outer = strided ? shape.with(-1, shape.size(-1) + 3) : shape;
        long shift = layout == Layout.ALIGNED ? 0 : type.bytes();
        long bytes = outer.elements() * type.bytes() + shift;
        Storage storage = Memory.host().allocate(bytes + 2L * GUARD_BYTES);
        for (long i = 0; i < storage.byteSize(); i++) {
            NativeMemory.ALL.set(ValueLayout.JAVA_BYTE, storage.address() + i, GUARD);
        }
        long elementsBefore = (GUARD_BYTES + shift) / type.bytes();
        Tensor whole = Tensor.over(storage, type, Shape.of(storage.byteSize() / type.bytes()))
                .slice(0, elementsBefore, elementsBefore + outer.elements())
                .reshape(outer);
        Tensor tensor = strided ? whole.slice(-1, 1, shape.size(-1) + 1) : whole;
        blocks.add(new Block(storage, tensor));
        return tensor;
    }

    /** The first byte outside the tensors that has changed, if any. */
    Optional<String> damage() {
        for (Block block : blocks) {
            BitSet owned = new BitSet();
            Tensor tensor = block.tensor;
            long base = block.storage.address();
            int size = tensor.dtype().bytes();
            forEachAddress(tensor, address -> owned.set((int) (address - base), (int) (address - base) + size));
            for (int i = 0; i < block.storage.byteSize(); i++) {
                if (!owned.get(i) && NativeMemory.ALL.get(ValueLayout.JAVA_BYTE, base + i) != GUARD) {
                    return Optional.of("wrote outside tensor " + blocks.indexOf(block) + ", " + tensor + ", at byte "
                            + (base + i - tensor.address()) + " from its start");
                }
            }
        }
        return Optional.empty();
    }

    private static void forEachAddress(Tensor tensor, java.util.function.LongConsumer body) {
        long[] extents = tensor.shape().toArray();
        for (long flat = 0; flat < tensor.elements(); flat++) {
            long rest = flat;
            long element = 0;
            for (int axis = extents.length - 1; axis >= 0; axis--) {
                element += rest % extents[axis] * tensor.stride(axis);
                rest /= extents[axis];
            }
            body.accept(tensor.address() + element * tensor.dtype().bytes());
        }
    }

    @Override
    public void close() {
        blocks.forEach(block -> block.storage.close());
    }
}
