package io.quern.op;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.List;

/** What the normalisation ops share: checks, and the shapes of their cases. */
final class NormArguments {
    /** (..., C) with channels around the lanes of every vector width, and few, many and odd numbers of rows. */
    static final List<Shape> SHAPES = List.of(
            Shape.of(2, 1),
            Shape.of(37, 1),
            Shape.of(2, 3),
            Shape.of(33, 3),
            Shape.of(10_007, 3),
            Shape.of(5, 10),
            Shape.of(300, 10),
            Shape.of(3, 15),
            Shape.of(129, 16),
            Shape.of(40, 17),
            Shape.of(700, 33),
            Shape.of(7, 64),
            Shape.of(650, 64),
            Shape.of(19, 65),
            Shape.of(5, 100),
            Shape.of(131, 100),
            Shape.of(9, 131),
            Shape.of(7, 1000),
            Shape.of(2, 3, 5, 7),
            Shape.of(4, 6, 6, 19),
            Shape.of(3, 17, 16, 32),
            Shape.of(5, 0));

    private NormArguments() {}

    /** An argument and its name in messages. */
    record Named(String name, Tensor tensor) {}

    static Named named(String name, Tensor tensor) {
        return new Named(name, tensor);
    }

    /** x can be normalised along its last axis. */
    static void checkInput(Op<?> op, String name, Tensor x) {
        Check.supported(x, op, name);
        if (!(x.rank() >= 1)) {
            throw Check.failed(op.name(), name + " is " + x + ", expected rank 1 or more");
        }
    }

    static void checkEpsilon(String op, double epsilon) {
        if (!(epsilon > 0)) {
            throw Check.failed(op, "epsilon is " + epsilon + ", expected more than 0");
        }
    }

    /** Arguments of the shape and dtype of x. */
    static void checkLike(String op, Tensor x, Named... arguments) {
        check(op, x.shape(), x.dtype(), arguments);
    }

    /** Scales, shifts, statistics and gradients of one shape, in the type that sums of x are kept in: F32 for BF16. */
    static void checkSums(String op, Shape shape, Tensor x, Named... arguments) {
        check(op, shape, x.dtype().accumulator(), arguments);
    }

    private static void check(String op, Shape shape, DType dtype, Named... arguments) {
        for (Named argument : arguments) {
            Check.shape(argument.tensor, shape, op, argument.name);
            Check.dtype(argument.tensor, dtype, op, argument.name);
        }
    }

    /** No output shares memory with another output or an input; nulls pass. */
    static void checkApart(String op, List<Named> outputs, List<Named> inputs) {
        for (int i = 0; i < outputs.size(); i++) {
            Named output = outputs.get(i);
            for (Named input : inputs) {
                Check.apart(output.tensor, input.tensor, op, output.name, input.name);
            }
            for (Named other : outputs.subList(0, i)) {
                Check.apart(output.tensor, other.tensor, op, output.name, other.name);
            }
        }
    }
}
