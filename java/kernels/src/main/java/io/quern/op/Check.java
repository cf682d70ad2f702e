package io.quern.op;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/** The checks of Args records; each names the op, the argument, and both sides of what does not fit. */
public final class Check {
    /** The types that every op computes in, and BF16, which is computed in F32 and rounded once when it is stored. */
    static final Set<DType> STORABLE = Collections.unmodifiableSet(EnumSet.of(DType.F32, DType.F64, DType.BF16));

    private Check() {}

    /** For constant texts; one that is put together costs time also when all is well: there, test and throw {@link #failed}. */
    public static void that(boolean condition, String op, String problem) {
        if (!condition) {
            throw failed(op, problem);
        }
    }

    public static ArgumentException failed(String op, String problem) {
        return new ArgumentException(op + ": " + problem);
    }

    public static void present(Tensor tensor, String op, String name) {
        if (tensor == null) {
            throw failed(op, name + " is missing");
        }
    }

    public static void rank(Tensor tensor, int rank, String op, String name) {
        present(tensor, op, name);
        if (tensor.rank() != rank) {
            throw failed(op, name + " is " + tensor + ", expected rank " + rank);
        }
    }

    public static void shape(Tensor tensor, Shape expected, String op, String name) {
        present(tensor, op, name);
        if (!tensor.shape().equals(expected)) {
            throw failed(op, name + " is " + tensor + ", expected shape " + expected);
        }
    }

    public static void dtype(Tensor tensor, DType expected, String op, String name) {
        present(tensor, op, name);
        if (tensor.dtype() != expected) {
            throw failed(op, name + " is " + tensor + ", expected dtype " + expected);
        }
    }

    /** One of the dtypes that the op declares. */
    public static void supported(Tensor tensor, Op<?> op, String name) {
        present(tensor, op.name(), name);
        if (!op.dtypes().contains(tensor.dtype())) {
            throw failed(
                    op.name(), name + " is " + tensor + ", expected one of " + op.dtypes() + "; convert with Cast");
        }
    }

    /** The given dtype, or the one that its sums are kept in. */
    public static void storedOrSummed(Tensor tensor, DType dtype, String op, String name) {
        present(tensor, op, name);
        if (tensor.dtype() != dtype && tensor.dtype() != dtype.accumulator()) {
            throw failed(
                    op,
                    name + " is " + tensor + ", expected dtype " + dtype
                            + (dtype == dtype.accumulator() ? "" : " or " + dtype.accumulator()));
        }
    }

    /** The given dtype, or one whose sums are kept in it. */
    public static void summedIn(DType dtype, Tensor tensor, String op, String name) {
        present(tensor, op, name);
        if (tensor.dtype().accumulator() != dtype) {
            throw failed(
                    op, name + " is " + tensor + ", expected dtype " + dtype + (dtype == DType.F32 ? " or BF16" : ""));
        }
    }

    /** F32 or F64, the types that are computed in. */
    public static void computable(Tensor tensor, String op, String name) {
        present(tensor, op, name);
        if (tensor.dtype() != DType.F32 && tensor.dtype() != DType.F64) {
            throw failed(op, name + " is " + tensor + ", expected F32 or F64; convert with Cast");
        }
    }

    /** The output shares no byte with the input. Nulls pass. */
    public static void apart(Tensor output, Tensor input, String op, String outputName, String inputName) {
        if (output != null && input != null && output.overlaps(input)) {
            throw failed(op, outputName + " overlaps " + inputName + "; give it memory of its own");
        }
    }

    /** The output is either exactly the input (in place) or shares no byte with it. */
    public static void inPlaceOrApart(Tensor output, Tensor input, String op, String outputName, String inputName) {
        if (!output.sameWindow(input) && output.overlaps(input)) {
            throw failed(
                    op, outputName + " partly overlaps " + inputName + "; use the same window or memory of its own");
        }
    }
}
