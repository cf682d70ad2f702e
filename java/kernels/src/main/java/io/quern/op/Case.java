package io.quern.op;

import java.util.function.Function;

/**
 * One call of an op, to be built as often as the harness likes.
 *
 * @param label shapes and attributes, unique within the op
 * @param build makes the Args from tensors that the harness supplies
 * @param <A> the op's arguments
 */
public record Case<A extends OpArgs>(String label, Function<CaseTensors, A> build) {}
