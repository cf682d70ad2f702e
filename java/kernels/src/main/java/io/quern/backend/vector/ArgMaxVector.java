package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.NE;
import static jdk.incubator.vector.VectorOperators.XOR;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.ArgMax;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Compares integers instead of floats: the bits of a float, ordered like the values, with -0 made 0 and NaN the largest
 * integer.
 */
final class ArgMaxVector implements Kernel<ArgMax.Args> {
    private static final int NAN = Integer.MAX_VALUE;

    private final WorkerPool pool;
    private final Scratch scratch;

    ArgMaxVector(WorkerPool pool, Scratch scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    @Override
    public boolean supports(ArgMax.Args args) {
        return Ranges.flat(args.x()) && args.y().isContiguous();
    }

    @Override
    public void run(ArgMax.Args args) {
        long x = args.x().address();
        long y = args.y().address();
        int channels = args.x().dim(-1);
        long rows = args.y().elements();
        long perBlock = Math.max(1, Ranges.BLOCK / channels);
        pool.run(Math.toIntExact((rows + perBlock - 1) / perBlock), block -> {
            long end = Math.min(rows, (block + 1) * perBlock);
            long lanes = scratch.address(2L * Lanes.BYTES);
            for (long row = block * perBlock; row < end; row++) {
                int best = best(x + 4 * row * channels, channels, lanes);
                ALL.set(ValueLayout.JAVA_INT_UNALIGNED, y + 4 * row, best);
            }
        });
    }

    /** @param lanes memory for two vectors */
    private static int best(long x, int count, long lanes) {
        int whole = Floats.whole(count);
        int best = 0;
        int largest = Integer.MIN_VALUE;
        if (whole > 0) {
            bestPerLane(x, whole, lanes);
            for (int lane = 0; lane < Lanes.FLOATS; lane++) {
                int key = ALL.get(ValueLayout.JAVA_INT_UNALIGNED, lanes + 4L * lane);
                int index = ALL.get(ValueLayout.JAVA_INT_UNALIGNED, lanes + Lanes.BYTES + 4L * lane);
                if (key > largest || key == largest && index < best) {
                    largest = key;
                    best = index;
                }
            }
        }
        for (int i = whole; i < count; i++) {
            int key = key(Floats.get(x + 4L * i));
            if (key > largest) {
                largest = key;
                best = i;
            }
        }
        return best;
    }

    /** Writes the largest key of each lane, then its index. */
    private static void bestPerLane(long x, int count, long target) {
        IntVector index = IntVector.zero(Lanes.I).addIndex(1);
        IntVector best = index;
        IntVector largest = keys(Floats.load(x));
        for (int i = Lanes.FLOATS; i < count; i += Lanes.FLOATS) {
            IntVector keys = keys(Floats.load(x + 4L * i));
            var greater = keys.compare(GT, largest);
            largest = largest.max(keys);
            best = best.blend(index.add(i), greater);
        }
        largest.intoMemorySegment(ALL, target, Lanes.ORDER);
        best.intoMemorySegment(ALL, target + Lanes.BYTES, Lanes.ORDER);
    }

    private static IntVector keys(FloatVector x) {
        IntVector bits = x.add(0f).reinterpretAsInts();
        IntVector keys = bits.lanewise(ASHR, 31).lanewise(LSHR, 1).lanewise(XOR, bits);
        return keys.blend(NAN, x.compare(NE, x).cast(Lanes.I));
    }

    private static int key(float x) {
        int bits = Float.floatToRawIntBits(x + 0f);
        return x != x ? NAN : bits >> 31 >>> 1 ^ bits;
    }
}
