package io.quern.backend.vector;

import static io.quern.backend.ffi.NativeMemory.ALL;

import jdk.incubator.vector.FloatVector;

/**
 * What a row of a layer normalization adds to the sums of dy h and dy over rows, h = (x - mean) inverse, and the row's own
 * sums of dy gamma and dy gamma (x - mean), in one pass. No helpers: see {@link VectorMath} on what C2 inlines.
 *
 * @param gamma (n), at a cache line like the other two
 * @param dgamma (n), sums of dy h
 * @param dbeta (n), sums of dy
 * @param own lanes of the row's own sums: of dy gamma, a vector further of dy gamma (x - mean)
 */
record LayerNormColumns(long gamma, long dgamma, long dbeta, long own, int n) {
    /** Bytes of all four. */
    static long bytes(int n) {
        return 3 * line(n) + 2L * Lanes.BYTES;
    }

    static LayerNormColumns at(long address, int n) {
        long line = line(n);
        return new LayerNormColumns(address, address + line, address + 2 * line, address + 3 * line, n);
    }

    private static long line(int n) {
        return 4L * n + Lanes.BYTES - 1 & -Lanes.BYTES;
    }

    /** The row's sum of dy gamma. */
    float sum(long dy) {
        float sum = Rows.sum(FloatVector.fromMemorySegment(Lanes.F, ALL, own, Lanes.ORDER));
        for (int i = Rows.full(n); i < n; i++) {
            sum = Math.fma(Rows.get(dy + 4L * i), Rows.get(gamma + 4L * i), sum);
        }
        return sum;
    }

    /** The row's sum of dy gamma (x - mean). */
    float dot(long x, long dy, float mean) {
        float dot = Rows.sum(FloatVector.fromMemorySegment(Lanes.F, ALL, own + Lanes.BYTES, Lanes.ORDER));
        for (int i = Rows.full(n); i < n; i++) {
            float d = Rows.get(x + 4L * i) - mean;
            dot = Math.fma(d * Rows.get(gamma + 4L * i), Rows.get(dy + 4L * i), dot);
        }
        return dot;
    }

    void add(long x, long dy, float mean, float inverse) {
        add(x, dy, mean, inverse, gamma, dgamma, dbeta, n, own);
        tail(x, dy, mean, inverse);
    }

    private static void add(
            long x, long dy, float mean, float inverse, long gamma, long dgamma, long dbeta, int n, long own) {
        FloatVector sum = FloatVector.zero(Lanes.F);
        FloatVector dot = sum;
        for (int i = 0; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            long at = 4L * i;
            FloatVector g = FloatVector.fromMemorySegment(Lanes.F, ALL, dy + at, Lanes.ORDER);
            FloatVector w = FloatVector.fromMemorySegment(Lanes.F, ALL, gamma + at, Lanes.ORDER);
            FloatVector d = FloatVector.fromMemorySegment(Lanes.F, ALL, x + at, Lanes.ORDER)
                    .sub(mean);
            sum = g.fma(w, sum);
            // gamma times the difference first: dy gamma may overflow where the product of all three does not
            dot = d.mul(w).fma(g, dot);
            d.mul(inverse)
                    .fma(g, FloatVector.fromMemorySegment(Lanes.F, ALL, dgamma + at, Lanes.ORDER))
                    .intoMemorySegment(ALL, dgamma + at, Lanes.ORDER);
            FloatVector.fromMemorySegment(Lanes.F, ALL, dbeta + at, Lanes.ORDER)
                    .add(g)
                    .intoMemorySegment(ALL, dbeta + at, Lanes.ORDER);
        }
        sum.intoMemorySegment(ALL, own, Lanes.ORDER);
        dot.intoMemorySegment(ALL, own + Lanes.BYTES, Lanes.ORDER);
    }

    /** Adds what is less than a vector. */
    private void tail(long x, long dy, float mean, float inverse) {
        for (int i = Rows.full(n); i < n; i++) {
            long at = 4L * i;
            float g = Rows.get(dy + at);
            float d = Rows.get(x + at) - mean;
            Rows.set(dgamma + at, Math.fma(d * inverse, g, Rows.get(dgamma + at)));
            Rows.set(dbeta + at, Rows.get(dbeta + at) + g);
        }
    }

    /** A row's dx = inverse (dy gamma - shift - (x - mean) slope). */
    void gradient(long x, long dy, long dx, float mean, float inverse, float shift, float slope) {
        for (int i = 0; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            long at = 4L * i;
            FloatVector rest = FloatVector.fromMemorySegment(Lanes.F, ALL, x + at, Lanes.ORDER)
                    .sub(mean)
                    .mul(slope);
            FloatVector.fromMemorySegment(Lanes.F, ALL, dy + at, Lanes.ORDER)
                    .mul(FloatVector.fromMemorySegment(Lanes.F, ALL, gamma + at, Lanes.ORDER))
                    .sub(shift)
                    .sub(rest)
                    .mul(inverse)
                    .intoMemorySegment(ALL, dx + at, Lanes.ORDER);
        }
        gradientTail(x, dy, dx, mean, inverse, shift, slope);
    }

    private void gradientTail(long x, long dy, long dx, float mean, float inverse, float shift, float slope) {
        for (int i = Rows.full(n); i < n; i++) {
            long at = 4L * i;
            float rest = (Rows.get(x + at) - mean) * slope;
            Rows.set(dx + at, (Rows.get(dy + at) * Rows.get(gamma + at) - shift - rest) * inverse);
        }
    }

    /** {@link #gradient} of a row and {@link #add} of the next one, whose memory is read while this row's is written. */
    void gradientThenAdd(
            long x,
            long dy,
            long dx,
            float mean,
            float inverse,
            float shift,
            float slope,
            float nextMean,
            float nextInverse) {
        long row = 4L * n;
        both(x, dy, dx, mean, inverse, shift, slope, nextMean, nextInverse, gamma, dgamma, dbeta, n, own);
        gradientTail(x, dy, dx, mean, inverse, shift, slope);
        tail(x + row, dy + row, nextMean, nextInverse);
    }

    private static void both(
            long x,
            long dy,
            long dx,
            float mean,
            float inverse,
            float shift,
            float slope,
            float nextMean,
            float nextInverse,
            long gamma,
            long dgamma,
            long dbeta,
            int n,
            long own) {
        long row = 4L * n;
        FloatVector sum = FloatVector.zero(Lanes.F);
        FloatVector dot = sum;
        for (int i = 0; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            long at = 4L * i;
            long next = at + row;
            FloatVector w = FloatVector.fromMemorySegment(Lanes.F, ALL, gamma + at, Lanes.ORDER);
            FloatVector rest = FloatVector.fromMemorySegment(Lanes.F, ALL, x + at, Lanes.ORDER)
                    .sub(mean)
                    .mul(slope);
            FloatVector.fromMemorySegment(Lanes.F, ALL, dy + at, Lanes.ORDER)
                    .mul(w)
                    .sub(shift)
                    .sub(rest)
                    .mul(inverse)
                    .intoMemorySegment(ALL, dx + at, Lanes.ORDER);
            FloatVector g = FloatVector.fromMemorySegment(Lanes.F, ALL, dy + next, Lanes.ORDER);
            FloatVector d = FloatVector.fromMemorySegment(Lanes.F, ALL, x + next, Lanes.ORDER)
                    .sub(nextMean);
            sum = g.fma(w, sum);
            dot = d.mul(w).fma(g, dot);
            d.mul(nextInverse)
                    .fma(g, FloatVector.fromMemorySegment(Lanes.F, ALL, dgamma + at, Lanes.ORDER))
                    .intoMemorySegment(ALL, dgamma + at, Lanes.ORDER);
            FloatVector.fromMemorySegment(Lanes.F, ALL, dbeta + at, Lanes.ORDER)
                    .add(g)
                    .intoMemorySegment(ALL, dbeta + at, Lanes.ORDER);
        }
        sum.intoMemorySegment(ALL, own, Lanes.ORDER);
        dot.intoMemorySegment(ALL, own + Lanes.BYTES, Lanes.ORDER);
    }
}
