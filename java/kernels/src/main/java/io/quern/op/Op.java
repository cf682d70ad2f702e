package io.quern.op;

import io.quern.tensor.DType;
import io.quern.tensor.QuernException;
import io.quern.tensor.Tensor;
import java.util.List;
import java.util.Set;

/**
 * The definition of one op: its checks are in its Args record, its meaning in {@link #reference}.
 *
 * <p>An op is stateless and a singleton. Adding one touches its own file and test, one line in {@link Ops}, then one
 * class per backend that makes it fast; the conformance harness does the rest from {@link #cases}.
 *
 * @param <A> the record of arguments
 */
public interface Op<A extends OpArgs> {
    /** The op's stem: the simple name of its class, for example {@code Conv2dBackwardData}. */
    default String name() {
        return getClass().getSimpleName();
    }

    /** The dtypes that real tensors of a call may have; the harness tries the cases in each of them. */
    default Set<DType> dtypes() {
        return Check.STORABLE;
    }

    /** Plain loops in double over any strides: the definition, and the kernel of a machine without a better one. */
    void reference(A args);

    /** True when gradients can flow through this op to at least one input. */
    default boolean differentiable() {
        return false;
    }

    /** True when {@link #backward} gives the gradient of this input of this call; asked only if {@link #differentiable}. */
    default boolean hasGradient(A args, Tensor input) {
        return true;
    }

    /**
     * Adds the gradients of the inputs, given that of the first output, as calls of other ops. Further outputs are saved
     * intermediates or state, which carry no gradient.
     *
     * @throws QuernException when the op is not differentiable
     */
    default void backward(A args, Gradients gradients) {
        throw new QuernException(name() + " has no gradient");
    }

    /**
     * Sends relevance from outputs to inputs by an explanation rule (LRP, DeepLIFT). An op without a rule of its own is
     * an error, never a silent pass-through.
     */
    default void propagate(PropagationRule rule, A args, Gradients relevance) {
        throw new QuernException(name() + " has no propagation rule for " + rule.name()
                + "; use a gradient method (saliency, integrated-gradients) for networks with this op");
    }

    /** Floating-point operations and bytes moved, for rooflines. */
    Cost cost(A args);

    /**
     * How far a kernel working with the given unit roundoff may be from the reference, element by element: a computed
     * bound, not a folklore constant.
     *
     * @param args double-precision arguments whose outputs the reference has already written
     */
    Bound bound(A args, double unitRoundoff);

    /** Calls that reach every loop path of every kernel: empty, one, lane and tile edges, primes. */
    List<Case<A>> cases();

    /** Calls whose Args must be refused, with a part of the message. */
    List<Rejection> rejections();
}
