package io.quern.op;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.function.Consumer;

/** Gradients (or relevances) per tensor of one backward walk, in the memory of the tape's step. */
public final class Gradients {
    private final Tape tape;
    private final Map<Tensor, Tensor> destinations;
    private final Map<Tensor, Slot> slots = new IdentityHashMap<>();

    /** A shared value may be read by other slots, so it is never added to in place. */
    private record Slot(Tensor value, boolean shared) {}

    /** @param destinations by identity: where the gradients of these tensors shall lie */
    Gradients(Tape tape, Map<Tensor, Tensor> destinations) {
        this.tape = tape;
        this.destinations = destinations;
    }

    /** True when the gradient of this input must be computed. Null is never wanted. */
    public boolean wants(Tensor input) {
        return tape.tracks(input);
    }

    /** True when some gradient has reached this tensor. */
    public boolean has(Tensor tensor) {
        return slots.containsKey(tensor);
    }

    /** The gradient that has reached this tensor so far. */
    public Tensor of(Tensor tensor) {
        Slot slot = slots.get(tensor);
        if (slot == null) {
            throw new ArgumentException("no gradient reached " + tensor + "; was it watched before the forward pass?");
        }
        return slot.value();
    }

    /**
     * Adds a contribution to an input's gradient, if it is wanted.
     *
     * @param compute overwrites the tensor it is given, of the input's shape and dtype, with the contribution
     */
    public void add(Tensor input, Consumer<Tensor> compute) {
        if (!wants(input)) {
            return;
        }
        Tensor contribution = place(input);
        compute.accept(contribution);
        put(input, contribution, false);
    }

    /**
     * Memory for a contribution to an input's gradient, with unspecified contents: what {@link #add} hands out, for ops that
     * compute several gradients in one call and then {@link #share} them.
     */
    public Tensor place(Tensor input) {
        Tensor destination = destinations.get(input);
        return destination != null && !has(input) ? destination : allocate(input.dtype(), input.shape());
    }

    /** Adds a contribution that already exists and may be another tensor's gradient as well. */
    public void share(Tensor input, Tensor contribution) {
        if (!wants(input)) {
            return;
        }
        Tensor destination = destinations.get(input);
        if (destination == null || has(input)) {
            put(input, contribution, true);
            return;
        }
        if (contribution != destination) {
            run(Scale.OP, new Scale.Args(contribution, destination, 1));
        }
        put(input, destination, false);
    }

    private void put(Tensor input, Tensor contribution, boolean shared) {
        Slot slot = slots.get(input);
        if (slot == null) {
            slots.put(input, new Slot(contribution, shared));
            return;
        }
        Tensor sum = slot.shared() ? allocate(input.dtype(), input.shape()) : slot.value();
        run(Add.OP, new Add.Args(slot.value(), contribution, sum));
        slots.put(input, new Slot(sum, false));
    }

    /** Runs an op of the backward pass; it is not recorded. */
    public <A extends OpArgs> void run(Op<A> op, A args) {
        tape.executor().run(op, args);
    }

    /** The tensor itself, or a copy of the given dtype. */
    public Tensor cast(Tensor x, DType dtype) {
        if (x.dtype() == dtype) {
            return x;
        }
        Tensor y = allocate(dtype, x.shape());
        run(Cast.OP, new Cast.Args(x, y));
        return y;
    }

    /** Memory of the current step, with unspecified contents. */
    public Tensor allocate(DType dtype, Shape shape) {
        return tape.allocate(dtype, shape);
    }
}
