package io.quern.op;

import io.quern.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Checks and parts of ops that work on a list of tensors in one call: optimizers, norms. */
final class TensorLists {
    private TensorLists() {}

    /** Every tensor is of a computed type, all are of one. */
    static void computable(List<Tensor> tensors, String op, String name) {
        Check.that(tensors != null, op, name + " is missing");
        for (int k = 0; k < tensors.size(); k++) {
            Check.computable(tensors.get(k), op, name + "[" + k + "]");
            Check.dtype(tensors.get(k), tensors.getFirst().dtype(), op, name + "[" + k + "]");
        }
    }

    /** As many tensors as in the other list, pairwise of one shape and dtype, and apart in memory. */
    static void paired(List<Tensor> tensors, List<Tensor> with, String op, String name, String withName) {
        Check.that(tensors != null, op, name + " is missing");
        Check.that(
                tensors.size() == with.size(),
                op,
                name + " has " + tensors.size() + " tensors, " + withName + " has " + with.size());
        for (int k = 0; k < tensors.size(); k++) {
            String element = name + "[" + k + "]";
            Check.shape(tensors.get(k), with.get(k).shape(), op, element);
            Check.dtype(tensors.get(k), with.get(k).dtype(), op, element);
            Check.apart(with.get(k), tensors.get(k), op, withName + "[" + k + "]", element);
        }
    }

    /** No tensor stands in the list twice: it would be updated twice, in any order. */
    static void distinct(List<Tensor> tensors, String op, String name) {
        long[] addresses = tensors.stream()
                .filter(tensor -> tensor.elements() > 0)
                .mapToLong(Tensor::address)
                .sorted()
                .toArray();
        for (int k = 1; k < addresses.length; k++) {
            Check.that(addresses[k] != addresses[k - 1], op, name + " holds one tensor twice; update it once");
        }
    }

    /** A rate or factor that may be 0 but not negative or NaN. */
    static void notNegative(double value, String op, String name) {
        Check.that(value >= 0 && value < Double.POSITIVE_INFINITY, op, name + " is " + value + ", expected 0 or more");
    }

    static long elements(List<Tensor> tensors) {
        return tensors.stream().mapToLong(Tensor::elements).sum();
    }

    @SafeVarargs
    static List<Tensor> concat(List<Tensor>... lists) {
        return Arrays.stream(lists).flatMap(List::stream).toList();
    }

    /** Tensors for cases: lengths around vectors, empty, and beyond a block of parallel work. */
    static List<Tensor> of(java.util.function.LongFunction<Tensor> tensor, long... lengths) {
        return Arrays.stream(lengths).mapToObj(tensor).toList();
    }

    static Stream<long[]> caseLengths() {
        return Stream.concat(
                Cases.lengths().mapToObj(n -> new long[] {n}),
                Stream.of(new long[] {}, new long[] {3, 0, 16, 1}, new long[] {129, 20_000, 7, 64}));
    }
}
