package io.quern.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.op.Cast;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.testing.OnEveryCudaDevice;
import java.util.stream.DoubleStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every pair of dtypes rounds as the reference does, to the bit. */
class CastCudaTest extends OnEveryCudaDevice {
    /** Ties, what a float in between would make one, the ends of the ranges. */
    private static final double[] VALUES = DoubleStream.of(
                    0,
                    0.5,
                    1.5,
                    2.5,
                    1 + 0x1p-8,
                    1 + 0x3p-8,
                    1 + 0x1p-8 + 0x1p-40,
                    1 + 0x3p-8 - 0x1p-40,
                    1 + 0x1p-24 + 0x1p-50,
                    0x1p24 + 0x1p16,
                    0x1p24 + 0x1p16 + 1,
                    0x1p24 + 0x3p16 - 1,
                    0x1p30 + 0x1p22,
                    0x1p30 + 0x1p22 + 1,
                    0x1p30 + 0x3p22 - 1,
                    0x1p31 - 1,
                    0x1p31 - 0.5,
                    0x1p31,
                    0x1p31 + 0.5,
                    0x1p31 + 1,
                    3e9,
                    0x1.fffffep127,
                    0x1.ffp127,
                    0x1.fffffffp127,
                    1e300,
                    0x1p-126,
                    0x1p-133,
                    0x1p-134,
                    0x1p-134 + 0x1p-160,
                    0x1p-149,
                    0x1p-150,
                    0x1p-1074,
                    Double.POSITIVE_INFINITY,
                    Double.NaN)
            .flatMap(value -> DoubleStream.of(value, -value))
            .toArray();

    /** From an address of 16 bytes, and from one element behind it. */
    @ParameterizedTest
    @EnumSource
    void roundsAsTheReferenceDoes(DType from) {
        int[] next = {0};
        Shape room = Shape.of(VALUES.length + 1);
        try (CudaBackend backend = device.open();
                Tensor all = Tensor.allocate(from, room).fill(() -> VALUES[next[0]++ % VALUES.length]);
                Tensor there = all.copyTo(backend.memory())) {
            for (DType to : DType.values()) {
                try (Tensor expected = Tensor.allocate(to, room);
                        Tensor target = Tensor.allocate(backend.memory(), to, room)) {
                    for (int start = 0; start < 2; start++) {
                        Tensor x = window(all, start);
                        Cast.OP.reference(new Cast.Args(x, window(expected, start)));
                        Cast.Args args = new Cast.Args(window(there, start), window(target, start));
                        assertTrue(backend.covers(Cast.OP, args), "no kernel for " + args);
                        backend.run(Cast.OP, args);
                        try (Tensor actual = window(target, start).copyTo(Memory.host())) {
                            for (int i = 0; i < VALUES.length; i++) {
                                assertEquals(
                                        window(expected, start).get(i),
                                        actual.get(i),
                                        from + " " + x.get(i) + " to " + to + ", start " + start);
                            }
                        }
                    }
                }
            }
        }
    }

    private static Tensor window(Tensor all, int start) {
        return all.slice(0, start, start + VALUES.length);
    }
}
