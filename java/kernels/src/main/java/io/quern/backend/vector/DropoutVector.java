package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static jdk.incubator.vector.VectorOperators.ULT;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.Dropout;
import io.quern.op.DropoutMask;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * y = dropout(x): by {@link DropoutCode} where there is such code, else with 512-bit vectors in one loop; without these, and at the end,
 * draws for a chunk into the thread's scratch, then one pass over the chunk.
 */
final class DropoutVector implements Kernel<Dropout.Args> {
    /** One 16-bit lane for each float lane. */
    private static final VectorSpecies<Short> DRAWS =
            ShortVector.SPECIES_64.withShape(VectorShape.forBitSize(Lanes.F.vectorBitSize() / 2));

    /** Elements whose draws, x and y stay in the first-level cache between the two loops. */
    private static final int CHUNK = 1 << 10;

    /** Bytes of scratch for the draws of a chunk. */
    static final long SCRATCH = 2L * CHUNK;

    private final WorkerPool pool;
    private final Scratch scratch;

    DropoutVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    @Override
    public boolean supports(Dropout.Args args) {
        return Ranges.flat(args.x(), args.y());
    }

    @Override
    public void run(Dropout.Args args) {
        long x = args.x().address();
        long y = args.y().address();
        DropoutMask mask = args.mask();
        int threshold = mask.threshold();
        boolean past = x != y && StreamCode.passesBy(args.y().elements() * Float.BYTES, y);
        Ranges.run(pool, args.y().elements(), (from, count) -> {
            long at = 4 * from;
            if (threshold == 0) {
                ScaleVector.scale(x + at, y + at, count, mask.scale());
            } else {
                apply(mask, from, x + at, y + at, count, scratch.address(SCRATCH), past);
            }
        });
    }

    /**
     * A run of elements, also for the epilogues of other kernels. y may be x.
     *
     * @param from the run's first element in the draws
     * @param draws {@link #SCRATCH} bytes
     */
    static void apply(DropoutMask mask, long from, long x, long y, int count, long draws) {
        apply(mask, from, x, y, count, draws, false);
    }

    private static void apply(DropoutMask mask, long from, long x, long y, int count, long draws, boolean past) {
        if (DropoutCode.covers(from, count)) {
            DropoutCode.run(mask, from, x, y, count, past, draws);
            return;
        }
        // Draws come in blocks of eight: a run may start within one.
        int skip = (int) (from & 7);
        int fused = Rows.MASKS && skip == 0 ? count - count % PhiloxVector.PAIR : 0;
        if (fused > 0) {
            PhiloxVector.drop(mask.rng(), from, fused, x, y, (short) mask.threshold(), mask.scale());
        }
        for (int i = fused; i < count; ) {
            int length = Math.min(CHUNK - skip, count - i);
            PhiloxVector.bits16(mask.rng(), from + i - skip, skip + length, draws);
            keep(draws + 2L * skip, mask.threshold(), x + 4L * i, y + 4L * i, length, mask.scale());
            i += length;
            skip = 0;
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
