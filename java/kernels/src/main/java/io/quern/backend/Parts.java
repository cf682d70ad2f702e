package io.quern.backend;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The blocks of a job, a part of neighbours for each thread. The owner claims from its part's start, others, when theirs are
 * done, from its end: two threads that read and write near each other all the time are slower than each in memory of its
 * own.
 */
final class Parts {
    /** What {@link #claim} returns when a part is done. */
    static final long NONE = -1;

    private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);
    /** Longs from one part to the next: two cache lines, which machines fetch as a pair. */
    private static final int APART = 16;
    /** A claim is at most one in so many of the blocks that are left, so that all threads end at about the same time. */
    private static final int CLAIMS = 4;

    private final int most;
    /**
     * Of each part the first block that is left in the upper half, the one behind the last in the lower. Nothing lies
     * before the first part: every access to an array reads its length.
     */
    private final long[] left;

    /** @param most blocks of a claim, 1 or more */
    Parts(int blocks, int parts, int most) {
        this.most = most;
        left = new long[(parts + 1) * APART];
        for (int part = 0; part < parts; part++) {
            left[at(part)] = range((int) ((long) blocks * part / parts), (int) ((long) blocks * (part + 1) / parts));
        }
    }

    /** Neighbouring blocks of a part that nobody else has, {@link #from} to {@link #to}. */
    long claim(int part, boolean owner) {
        int at = at(part);
        while (true) {
            long seen = (long) LONGS.getVolatile(left, at);
            int from = from(seen), to = to(seen);
            if (from == to) {
                return NONE;
            }
            int count = Math.clamp((to - from) / CLAIMS, 1, most);
            long claimed = owner ? range(from, from + count) : range(to - count, to);
            long rest = owner ? range(from + count, to) : range(from, to - count);
            if (LONGS.compareAndSet(left, at, seen, rest)) {
                return claimed;
            }
        }
    }

    private static int at(int part) {
        return (part + 1) * APART;
    }

    static int from(long range) {
        return (int) (range >>> 32);
    }

    static int to(long range) {
        return (int) range;
    }

    private static long range(int from, int to) {
        return (long) from << 32 | to;
    }
}
