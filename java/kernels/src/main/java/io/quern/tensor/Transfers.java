package io.quern.tensor;

import java.util.function.Function;
import java.util.function.UnaryOperator;

/** Copies between memories. A device sees only contiguous tensors; dtypes are converted on the host. */
final class Transfers {
    private Transfers() {}

    /** At least one of the two is not in host memory, or they differ in memory. */
    static void copy(Tensor source, Tensor target) {
        requireContiguous(source);
        requireContiguous(target);
        long bytes = source.elements() * source.dtype().bytes();
        boolean straight = source.dtype() == target.dtype() && source.isContiguous() && target.isContiguous();
        if (!straight || source.isOnHost() == target.isOnHost()) {
            convert(source, target);
        } else if (!source.isOnHost()) {
            source.memory().copyToHost(source.address(), target.address(), bytes);
        } else {
            target.memory().copyFromHost(source.address(), target.address(), bytes);
        }
    }

    private static void convert(Tensor source, Tensor target) {
        if (source.isOnHost()) {
            throughHost(target, host -> host.copyFrom(source));
        } else {
            fromHostCopy(source, target::copyFrom);
        }
    }

    /** Writes a device tensor by way of a host tensor of its shape and dtype. */
    static Tensor throughHost(Tensor target, UnaryOperator<Tensor> write) {
        try (Tensor host = Tensor.allocate(target.dtype(), target.shape())) {
            return target.copyFrom(write.apply(host));
        }
    }

    /** Reads a device tensor by way of a copy in host memory. */
    static <R> R fromHostCopy(Tensor source, Function<Tensor, R> read) {
        try (Tensor host = source.copyTo(Memory.host())) {
            return read.apply(host);
        }
    }

    /** On the host, for any strides and dtypes. */
    static void byElement(Tensor source, Tensor target) {
        if (target.overlaps(source)) {
            throughArray(source, target);
            return;
        }
        for (long i = 0; i < target.elements(); i++) {
            target.set(i, source.get(i));
        }
    }

    /** Reads all before it writes: a transposed or shifted view of the target's own memory stays intact. */
    private static void throughArray(Tensor source, Tensor target) {
        double[] values = new double[source.arrayLength()];
        for (int i = 0; i < values.length; i++) {
            values[i] = source.get(i);
        }
        for (int i = 0; i < values.length; i++) {
            target.set(i, values[i]);
        }
    }

    private static void requireContiguous(Tensor tensor) {
        if (!tensor.isOnHost() && !tensor.isContiguous()) {
            throw new ArgumentException("cannot copy to or from " + tensor + " in "
                    + tensor.memory().name() + " memory: it is not contiguous");
        }
    }
}
