package io.quern.backend.vector;

import jdk.incubator.vector.DoubleVector;

/** Sums of squares of floats, in double: no term overflows, and no order of addition costs digits of the result. */
final class DoubleSums {
    private static final int DOUBLES = DoubleLanes.DOUBLES;

    private DoubleSums() {}

    /** Sum of x[i]^2. */
    static double squares(long x, int count) {
        DoubleVector a = DoubleVector.zero(DoubleLanes.D);
        DoubleVector b = a;
        DoubleVector c = a;
        DoubleVector d = a;
        int i = 0;
        for (; i <= count - 4 * DOUBLES; i += 4 * DOUBLES) {
            DoubleVector p = DoubleLanes.load(x + 4L * i);
            DoubleVector q = DoubleLanes.load(x + 4L * (i + DOUBLES));
            DoubleVector r = DoubleLanes.load(x + 4L * (i + 2 * DOUBLES));
            DoubleVector s = DoubleLanes.load(x + 4L * (i + 3 * DOUBLES));
            a = p.fma(p, a);
            b = q.fma(q, b);
            c = r.fma(r, c);
            d = s.fma(s, d);
        }
        double sum = DoubleLanes.sum(a.add(b).add(c.add(d)));
        for (; i < count; i++) {
            double value = Floats.get(x + 4L * i);
            sum += value * value;
        }
        return sum;
    }

    /** Sum of (x[i] - y[i])^2. */
    static double squaredDifferences(long x, long y, int count) {
        DoubleVector a = DoubleVector.zero(DoubleLanes.D);
        DoubleVector b = a;
        int i = 0;
        for (; i <= count - 2 * DOUBLES; i += 2 * DOUBLES) {
            long next = 4L * (i + DOUBLES);
            DoubleVector p = DoubleLanes.load(x + 4L * i).sub(DoubleLanes.load(y + 4L * i));
            DoubleVector q = DoubleLanes.load(x + next).sub(DoubleLanes.load(y + next));
            a = p.fma(p, a);
            b = q.fma(q, b);
        }
        double sum = DoubleLanes.sum(a.add(b));
        for (; i < count; i++) {
            double difference = (double) Floats.get(x + 4L * i) - Floats.get(y + 4L * i);
            sum += difference * difference;
        }
        return sum;
    }
}
