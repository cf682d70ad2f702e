package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static org.junit.jupiter.api.Assertions.fail;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** A tensor that begins and ends off a cache line, of guards around numbers of all kinds, equal ones too, or around what is to be written. */
final class Numbers implements AutoCloseable {
    private static final int UNTOUCHED = Float.floatToRawIntBits(77), GUARD = 19;
    private static final int[] SPECIAL = {
        0x7fc00001, 0xffc00002, 0x7f800003, 0xff800004, 0x7f800000, 0xff800000, 0x80000000, 0, 1, 0x80000001, 0x7f7fffff
    };

    final Tensor view;
    private final Tensor all;

    Numbers(Shape shape, SplittableRandom random, boolean given) {
        all = Tensor.allocate(DType.F32, Shape.of(shape.elements() + 2 * GUARD));
        view = all.slice(0, GUARD, GUARD + shape.elements()).reshape(shape);
        for (long i = 0; i < all.elements(); i++) {
            setBits(all, i, UNTOUCHED);
        }
        for (long i = 0; given && i < view.elements(); i++) {
            int kind = random.nextInt(8);
            int bits = kind == 0
                    ? SPECIAL[random.nextInt(SPECIAL.length)]
                    : Float.floatToRawIntBits(kind < 4 ? random.nextInt(-2, 3) : (float) random.nextDouble(-2, 2));
            setBits(view, i, bits);
        }
    }

    void compare(Tensor expected, String what) {
        for (long i = 0; i < all.elements(); i++) {
            long at = i - GUARD;
            boolean inside = at >= 0 && at < view.elements();
            int wanted = inside ? bits(expected, at) : UNTOUCHED, found = bits(all, i);
            if (found != wanted) {
                fail("%s, element %d: %08x, expected %08x".formatted(what, at, found, wanted));
            }
        }
    }

    @Override
    public void close() {
        all.close();
    }

    static int bits(Tensor tensor, long element) {
        return ALL.get(ValueLayout.JAVA_INT_UNALIGNED, tensor.address() + 4 * element);
    }

    static void setBits(Tensor tensor, long element, int bits) {
        ALL.set(ValueLayout.JAVA_INT_UNALIGNED, tensor.address() + 4 * element, bits);
    }
}
