package io.quern.explain;

/** How the integral of the gradient from baseline (0) to input (1) becomes a weighted sum. */
public enum PathRule {
    /**
     * Trapezoids that are halved where they miss the change of the output, which the gradients themselves tell. One step alone
     * is a midpoint.
     */
    ADAPTIVE {
        @Override
        double[][] nodes(int steps) {
            return MIDPOINT.nodes(steps);
        }
    },
    /** Equal weights at the middle of equal parts. */
    MIDPOINT {
        @Override
        double[][] nodes(int steps) {
            double[][] nodes = new double[2][steps];
            for (int k = 0; k < steps; k++) {
                nodes[0][k] = (k + 0.5) / steps;
                nodes[1][k] = 1.0 / steps;
            }
            return nodes;
        }
    },
    /**
     * Exact for polynomials up to degree 2 steps - 1. Nodes are the roots of the Legendre polynomial, by Newton's method.
     * Abramowitz, Stegun, "Handbook of mathematical functions", 25.4.29.
     */
    GAUSS_LEGENDRE {
        @Override
        double[][] nodes(int steps) {
            double[][] nodes = new double[2][steps];
            for (int k = 0; k < steps; k++) {
                double x = Math.cos(Math.PI * (k + 0.75) / (steps + 0.5));
                double slope = 0;
                for (int iteration = 0; iteration < 100; iteration++) {
                    double value = x;
                    double before = 1;
                    for (int n = 2; n <= steps; n++) {
                        double next = ((2 * n - 1) * x * value - (n - 1) * before) / n;
                        before = value;
                        value = next;
                    }
                    slope = steps == 1 ? 1 : steps * (x * value - before) / (x * x - 1);
                    double change = value / slope;
                    x -= change;
                    if (Math.abs(change) < 1e-15) {
                        break;
                    }
                }
                nodes[0][k] = (1 - x) / 2;
                nodes[1][k] = 1 / ((1 - x * x) * slope * slope);
            }
            return nodes;
        }
    };

    /** Places in 0..1, then their weights, whose sum is 1. */
    abstract double[][] nodes(int steps);
}
