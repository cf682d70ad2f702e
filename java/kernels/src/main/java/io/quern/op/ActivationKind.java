package io.quern.op;

/** Activation functions, with value and derivative in double. */
public enum ActivationKind {
    /** y = x. */
    NONE(true) {
        @Override
        public double value(double x) {
            return x;
        }

        @Override
        public double derivative(double x, double y) {
            return 1;
        }
    },
    /** y = max(x, 0); derivative 0 at 0. */
    RELU(true) {
        @Override
        public double value(double x) {
            return x > 0 ? x : Double.isNaN(x) ? x : 0;
        }

        @Override
        public double derivative(double x, double y) {
            return y > 0 ? 1 : 0;
        }
    },
    /** y = x for x > 0, else x / 100. */
    LEAKY_RELU(true) {
        @Override
        public double value(double x) {
            return x > 0 ? x : LEAK * x;
        }

        @Override
        public double derivative(double x, double y) {
            return y > 0 ? 1 : LEAK;
        }
    },
    /** y = 1 / (1 + exp(-x)). */
    SIGMOID(true) {
        @Override
        public double value(double x) {
            return 1 / (1 + Math.exp(-x));
        }

        @Override
        public double derivative(double x, double y) {
            return y * (1 - y);
        }
    },
    /** y = tanh x. */
    TANH(true) {
        @Override
        public double value(double x) {
            return Math.tanh(x);
        }

        @Override
        public double derivative(double x, double y) {
            return 1 - y * y;
        }
    },
    /**
     * The tanh form of GELU: y = x s(2 c (x + 0.044715 x^3)) with c = sqrt(2 / pi) and s the logistic function.
     * Hendrycks, Gimpel, "Gaussian error linear units", 2016.
     */
    GELU(false) {
        @Override
        public double value(double x) {
            return x <= -1e100 ? -0.0 : x / (1 + Math.exp(-geluArgument(x)));
        }

        @Override
        public double derivative(double x, double y) {
            double s = 1 / (1 + Math.exp(-geluArgument(x)));
            return Math.abs(x) > 1e50 ? s : s + x * s * (1 - s) * 2 * GELU_C * (1 + 3 * GELU_CUBIC * x * x);
        }
    },
    /** y = x / (1 + exp(-x)), also called swish. */
    SILU(false) {
        @Override
        public double value(double x) {
            return x <= -1e100 ? -0.0 : x / (1 + Math.exp(-x));
        }

        @Override
        public double derivative(double x, double y) {
            double s = 1 / (1 + Math.exp(-x));
            return Math.abs(x) > 1e50 ? s : s * (1 + x * (1 - s));
        }
    };

    public static final double LEAK = 0.01;
    public static final double GELU_C = 0.7978845608028654;
    public static final double GELU_CUBIC = 0.044715;

    private final boolean fromOutput;

    ActivationKind(boolean fromOutput) {
        this.fromOutput = fromOutput;
    }

    /** What the logistic function of GELU is taken of: 2 c (x + 0.044715 x^3). */
    static double geluArgument(double x) {
        return 2 * GELU_C * (x + GELU_CUBIC * x * x * x);
    }

    public abstract double value(double x);

    /** dy/dx, from y alone where {@link #fromOutput}. */
    public abstract double derivative(double x, double y);

    /** True when the derivative needs only the output, so that a fused kernel need not save the input. */
    public boolean fromOutput() {
        return fromOutput;
    }

    /** True when the derivative needs only the output's sign: it may be scaled by a positive number. */
    public boolean fromSign() {
        return this == NONE || this == RELU || this == LEAKY_RELU;
    }

    /** The name in model descriptions, for example {@code leaky-relu}. */
    public String label() {
        return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
}
