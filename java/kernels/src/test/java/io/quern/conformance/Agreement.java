package io.quern.conformance;

import io.quern.op.ArgsMap;
import io.quern.op.Bound;
import io.quern.op.Case;
import io.quern.op.Executor;
import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.tensor.DType;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Runs one case on a backend and compares every output element with the reference in double. */
final class Agreement {
    private Agreement() {}

    /** What is wrong, if anything. */
    static <A extends OpArgs> Optional<String> check(Op<A> op, Case<A> c, Variant variant, Executor executor) {
        List<Tensor> copies = new ArrayList<>();
        try (GuardedTensors tensors =
                new GuardedTensors(variant.dtype(), variant.layout(), variant.values(), variant.seed())) {
            A args = c.build().apply(tensors);
            A exact = ArgsMap.map(args, tensor -> doubleCopy(tensor, variant.dtype(), copies));
            A before = ArgsMap.map(exact, tensor -> doubleCopy(tensor, variant.dtype(), copies));
            executor.run(op, args);
            op.reference(exact);
            Optional<String> difference = compare(op, args, exact, before, variant.dtype());
            return difference.isPresent() ? difference : tensors.damage();
        } finally {
            copies.forEach(Tensor::close);
        }
    }

    /** The raw outputs of one run, for comparing bits. */
    static <A extends OpArgs> double[][] outputs(Op<A> op, Case<A> c, Variant variant, Executor executor) {
        try (GuardedTensors tensors =
                new GuardedTensors(variant.dtype(), variant.layout(), variant.values(), variant.seed())) {
            A args = c.build().apply(tensors);
            executor.run(op, args);
            return args.outputs().stream().map(Agreement::values).toArray(double[][]::new);
        }
    }

    private static double[] values(Tensor tensor) {
        double[] values = new double[(int) tensor.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = tensor.get(i);
        }
        return values;
    }

    /** F32 and the dtype under test become F64; other types keep theirs, since an op may be about them. */
    private static Tensor doubleCopy(Tensor tensor, DType tested, List<Tensor> copies) {
        boolean widens = tensor.dtype() == DType.F32 || tensor.dtype() == tested;
        Tensor copy = Tensor.allocate(widens ? DType.F64 : tensor.dtype(), tensor.shape());
        copies.add(copy);
        return copy.copyFrom(tensor);
    }

    /** Of the arithmetic, not of storage: sums of BF16 are F32, which tensor cores truncate instead of rounding. */
    private static double unitRoundoff(DType dtype) {
        return dtype == DType.BF16 ? 2 * DType.F32.unitRoundoff() : dtype.unitRoundoff();
    }

    private static <A extends OpArgs> Optional<String> compare(Op<A> op, A args, A exact, A before, DType dtype) {
        // A bound may look at inputs that the op updates in place, so it sees them as they were.
        Bound bound = op.bound(withOutputs(before, exact), unitRoundoff(dtype));
        for (int o = 0; o < args.outputs().size(); o++) {
            Tensor actual = args.outputs().get(o);
            Tensor expected = exact.outputs().get(o);
            for (long i = 0; i < actual.elements(); i++) {
                double a = actual.get(i);
                double e = expected.get(i);
                double allowed = bound.at(o, i, e) + 2 * actual.dtype().unitRoundoff() * Math.abs(e);
                if (!close(a, e, allowed, actual.dtype())) {
                    return Optional.of("output " + o + " element " + i + " of " + actual + " is " + a + ", expected "
                            + e + " +- " + allowed);
                }
            }
        }
        return Optional.empty();
    }

    /** The arguments before the run; outputs that were not inputs are taken from after it. */
    private static <A extends OpArgs> A withOutputs(A before, A exact) {
        List<Tensor> old = before.outputs();
        List<Tensor> written = exact.outputs();
        return ArgsMap.map(before, tensor -> {
            for (int o = 0; o < old.size(); o++) {
                if (old.get(o) == tensor && before.inputs().stream().noneMatch(input -> input == tensor)) {
                    return written.get(o);
                }
            }
            return tensor;
        });
    }

    private static boolean close(double actual, double expected, double allowed, DType dtype) {
        if (Double.isNaN(expected)) {
            return Double.isNaN(actual);
        }
        if (Double.isInfinite(expected)) {
            return actual == expected;
        }
        if (dtype != DType.F64 && Math.abs(expected) > Float.MAX_VALUE) {
            return actual == Math.copySign(Double.POSITIVE_INFINITY, expected)
                    || Math.abs(actual - expected) <= allowed;
        }
        return Math.abs(actual - expected) <= allowed;
    }
}
