package io.quern.op;

import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Building blocks of error bounds. Higham, "Accuracy and Stability of Numerical Algorithms", chapter 3. */
public final class Bounds {
    /** Room for results that underflow: a few of the smallest normal floats. */
    static final double UNDERFLOW = 0x1p-124;

    private Bounds() {}

    /** The same bits as the reference rounded once. */
    public static Bound exact() {
        return (output, index, reference) -> 0;
    }

    /** {@code ulps} units in the last place of the result. */
    public static Bound ulps(double ulps, double u) {
        return (output, index, reference) -> 2 * u * ulps * Math.abs(reference) + UNDERFLOW;
    }

    /** An error relative to 1 + |result|: for functions that cancel near zero. */
    public static Bound absolute(double ulps, double u) {
        return (output, index, reference) -> 2 * u * ulps * (1 + Math.abs(reference));
    }

    /**
     * A call whose outputs are sums of products of its inputs: gamma_n times the reference on absolute values (of
     * tensors and of double attributes).
     */
    public static <A extends OpArgs> Bound linear(Op<A> op, A args, double terms, double u) {
        double gamma = gamma(terms, u);
        double[][] magnitude = magnitude(op, args);
        return (output, index, reference) -> gamma * magnitude[output][(int) index] + UNDERFLOW;
    }

    /** The outputs of the reference on the absolute values of all real inputs and double attributes. */
    public static <A extends OpArgs> double[][] magnitude(Op<A> op, A args) {
        List<Tensor> copies = new ArrayList<>();
        try {
            A absolute = ArgsMap.map(
                    args,
                    tensor -> {
                        Tensor copy = Tensor.allocate(tensor.dtype(), tensor.shape());
                        copies.add(copy);
                        for (long i = 0; i < tensor.elements(); i++) {
                            double value = tensor.get(i);
                            copy.set(i, tensor.dtype().isReal() ? Math.abs(value) : value);
                        }
                        return copy;
                    },
                    Math::abs);
            op.reference(absolute);
            return absolute.outputs().stream().map(Bounds::toDoubles).toArray(double[][]::new);
        } finally {
            copies.forEach(Tensor::close);
        }
    }

    private static double[] toDoubles(Tensor tensor) {
        double[] values = new double[Math.toIntExact(tensor.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = tensor.get(i);
        }
        return values;
    }

    /** n u / (1 - n u). */
    public static double gamma(double terms, double u) {
        double nu = (terms + 2) * u;
        return nu / (1 - nu);
    }
}
