package io.quern.backend.cuda;

import io.quern.backend.ffi.DriverCall;
import io.quern.backend.ffi.LaunchLayout;
import io.quern.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Tensor maps, by which a Hopper copies tiles: of BF16 tensors of three axes, swizzled by 128 bytes. Encoded once for an
 * address and a shape, and kept while they are in use.
 */
final class TensorMaps {
    static final int ALIGNMENT = LaunchLayout.TENSOR_MAP_ALIGNMENT;

    /** Elements of a line of a box: 128 bytes. */
    static final int BOX = 64;

    /** What the copy engine asks of addresses and strides. */
    private static final int UNIT_BYTES = 16;

    private static final int ELEMENT_BYTES = 2;
    private static final int MOST = 512;

    /** Of CUtensorMapDataType, CUtensorMapSwizzle, CUtensorMapL2promotion. */
    private static final int BFLOAT16 = 9;

    private static final int SWIZZLE_128 = 3;
    private static final int PROMOTION_256 = 3;

    private final CudaDevice device;
    private final Map<Key, long[]> known = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, long[]> eldest) {
            return size() > MOST;
        }
    };

    private record Key(long address, long batch, long lines, long line, int boxLines) {}

    TensorMaps(CudaDevice device) {
        this.device = device;
    }

    /** True when a contiguous tensor can be copied so. */
    static boolean fits(Tensor tensor) {
        return tensor.address() % UNIT_BYTES == 0
                && tensor.size(-1) * ELEMENT_BYTES % UNIT_BYTES == 0
                && tensor.elements() > 0;
    }

    /**
     * The map of a contiguous tensor of two axes, or three with a batch in front, as 64-bit words.
     *
     * @param boxLines lines of {@link #BOX} elements that are copied at once, at most 256
     */
    long[] of(Tensor tensor, int boxLines) {
        long batch = tensor.rank() == 2 ? 1 : tensor.size(0);
        return known.computeIfAbsent(
                new Key(tensor.address(), batch, tensor.size(-2), tensor.size(-1), boxLines), this::encode);
    }

    private long[] encode(Key key) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment map = arena.allocate(LaunchLayout.TENSOR_MAP_BYTES, ALIGNMENT);
            long line = key.line * ELEMENT_BYTES;
            device.call(
                    DriverCall.TENSOR_MAP_TILED,
                    map,
                    BFLOAT16,
                    3,
                    key.address,
                    arena.allocateFrom(ValueLayout.JAVA_LONG, key.line, key.lines, key.batch),
                    arena.allocateFrom(ValueLayout.JAVA_LONG, line, line * key.lines),
                    arena.allocateFrom(ValueLayout.JAVA_INT, BOX, key.boxLines, 1),
                    arena.allocateFrom(ValueLayout.JAVA_INT, 1, 1, 1),
                    0,
                    SWIZZLE_128,
                    PROMOTION_256,
                    0);
            return map.toArray(ValueLayout.JAVA_LONG);
        }
    }
}
