package io.quern.conformance;

import io.quern.op.Executor;
import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.tensor.Memory;
import io.quern.tensor.Tensor;

/** A number that tells the bits of results from others: of all outputs of what ran since {@link #clear}. */
final class Digest {
    private static final long FACTOR = 0x9E3779B97F4A7C15L;

    private long value;
    private boolean empty = true;

    void clear() {
        value = 0;
        empty = true;
    }

    boolean isEmpty() {
        return empty;
    }

    long value() {
        return value;
    }

    /** The executor, whose results are taken in. */
    Executor over(Executor executor) {
        return new Executor() {
            @Override
            public <A extends OpArgs> void run(Op<A> op, A args) {
                executor.run(op, args);
                args.outputs().forEach(Digest.this::add);
            }

            @Override
            public Memory memory() {
                return executor.memory();
            }
        };
    }

    /** Any NaN as one, since which of two an operation passes on is the compiler's choice. */
    private void add(Tensor tensor) {
        empty = false;
        for (long i = 0; i < tensor.elements(); i++) {
            long mixed = (value ^ Double.doubleToLongBits(tensor.get(i))) * FACTOR;
            value = mixed ^ mixed >>> 32;
        }
    }
}
