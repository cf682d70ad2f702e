package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static io.quern.backend.vector.StreamAssembler.A;
import static io.quern.backend.vector.StreamAssembler.B;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Add;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/** y = a + b. Bandwidth bound: two loads, one store. */
final class AddVector implements Kernel<Add.Args> {
    private static final StreamCode STREAM = StreamCode.of(step -> {
        step.load(0, A);
        step.add(0, 0, B);
        step.store(0);
    });

    private final WorkerPool pool;

    AddVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(Add.Args args) {
        return Ranges.flat(args.a(), args.b(), args.y());
    }

    @Override
    public void run(Add.Args args) {
        long a = args.a().address();
        long b = args.b().address();
        long y = args.y().address();
        Ranges.Body body = (from, count) -> add(a + 4 * from, b + 4 * from, y + 4 * from, count);
        STREAM.run(pool, body, args.y().elements(), y, a, b, 0);
    }

    /** y may be a or b. */
    static void add(long a, long b, long y, int count) {
        int i = Floats.whole(count);
        long end = 4L * i;
        for (long at = 0; at != end; at += Lanes.BYTES) {
            FloatVector.fromMemorySegment(Lanes.F, ALL, a + at & Lanes.ADDRESS, Lanes.ORDER)
                    .add(FloatVector.fromMemorySegment(Lanes.F, ALL, b + at & Lanes.ADDRESS, Lanes.ORDER))
                    .intoMemorySegment(ALL, y + at & Lanes.ADDRESS, Lanes.ORDER);
        }
        for (; i < count; i++) {
            long at = 4L * i;
            ALL.set(
                    ValueLayout.JAVA_FLOAT_UNALIGNED,
                    y + at,
                    ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, a + at)
                            + ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, b + at));
        }
    }
}
