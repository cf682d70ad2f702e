package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static jdk.incubator.vector.VectorOperators.ULT;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Dropout;
import io.quern.tensor.Rng;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** y = dropout(x): draws for a chunk into this thread's scratch, then one pass over the chunk. */
final class DropoutVector implements Kernel<Dropout.Args> {
    /** One 16-bit lane for each float lane. */
    private static final VectorSpecies<Short> DRAWS =
            ShortVector.SPECIES_64.withShape(VectorShape.forBitSize(Lanes.F.vectorBitSize() / 2));

    /** Elements whose draws, x and y stay in the first-level cache between the two loops. */
    private static final int CHUNK = 1 << 10;

    private final WorkerPool pool;

    DropoutVector(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public boolean supports(Dropout.Args args) {
        return Ranges.flat(args.x(), args.y());
    }

    @Override
    public void run(Dropout.Args args) {
        long x = args.x().address();
        long y = args.y().address();
        Rng rng = args.rng();
        int threshold = args.threshold();
        float scale = args.scale();
        Ranges.run(
                pool,
                args.y().elements(),
                (from, count) -> apply(rng, threshold, scale, from, x + 4 * from, y + 4 * from, count));
    }

    /**
     * Drops and scales a run of elements, also for the epilogues of other kernels. y may be x.
     *
     * @param from the run's first element in the draws, a multiple of 8
     */
    static void apply(Rng rng, int threshold, float scale, long from, long x, long y, int count) {
        if (threshold == 0) {
            ScaleVector.scale(x, y, count, scale);
            return;
        }
        long draws = ThreadBuffer.address();
        for (int i = 0; i < count; i += CHUNK) {
            int length = Math.min(CHUNK, count - i);
            PhiloxVector.bits16(rng, from + i, length, draws);
            keep(draws, threshold, x + 4L * i, y + 4L * i, length, scale);
        }
    }

    private static void keep(long draws, int threshold, long x, long y, int count, float scale) {
        short limit = (short) threshold;
        int whole = Floats.whole(count);
        for (int i = 0; i < whole; i += Lanes.FLOATS) {
            VectorMask<Float> drop = ShortVector.fromMemorySegment(DRAWS, ALL, draws + 2L * i, Lanes.ORDER)
                    .compare(ULT, limit)
                    .cast(Lanes.F);
            Floats.store(y + 4L * i, Floats.load(x + 4L * i).mul(scale).blend(0f, drop));
        }
        if (whole < count) {
            VectorMask<Float> tail = Floats.first(count - whole);
            VectorMask<Float> drop = ShortVector.fromMemorySegment(DRAWS, ALL, draws + 2L * whole, Lanes.ORDER)
                    .compare(ULT, limit)
                    .cast(Lanes.F);
            Floats.store(
                    y + 4L * whole, Floats.load(x + 4L * whole, tail).mul(scale).blend(0f, drop), tail);
        }
    }
}
