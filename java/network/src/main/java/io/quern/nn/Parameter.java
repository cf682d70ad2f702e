package io.quern.nn;

import io.quern.tensor.QuernException;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;

/** A named tensor of a network: trained, or kept as state. It has memory once its {@link Network} is built. */
public final class Parameter {
    /** What a parameter is for, which decides how it is regularized. */
    public enum Role {
        /** Matrices and filters: trained, decayed. */
        WEIGHT,
        /** Offsets of a layer: trained, not decayed. */
        BIAS,
        /** Scale and shift of a normalisation: trained, not decayed. */
        NORM,
        /** Running statistics: not trained, saved with the network. */
        STATE
    }

    private final String name;
    private final Shape shape;
    private final Role role;
    private final Initializer initializer;
    private final long fanIn;
    private final long fanOut;
    private Tensor value;

    Parameter(String name, Shape shape, Role role, Initializer initializer, long fanIn, long fanOut) {
        this.name = name;
        this.shape = shape;
        this.role = role;
        this.initializer = initializer;
        this.fanIn = fanIn;
        this.fanOut = fanOut;
    }

    /** Unique in the network, for example {@code conv1.weight}. */
    public String name() {
        return name;
    }

    public Shape shape() {
        return shape;
    }

    public Role role() {
        return role;
    }

    /** True unless this is state. */
    public boolean trained() {
        return role != Role.STATE;
    }

    /** True when weight decay and penalties apply: weights only, neither biases nor norm parameters. */
    public boolean decayed() {
        return role == Role.WEIGHT;
    }

    /** The tensor, always the same one; it belongs to the network. */
    public Tensor value() {
        if (value == null) {
            throw new QuernException("parameter " + name + " has no memory before its network is built");
        }
        return value;
    }

    void bind(Tensor memory, Rng rng) {
        value = memory;
        if (memory.isOnHost()) {
            initializer.fill(memory, rng, fanIn, fanOut);
        } else {
            // drawn on the host, so that every backend starts from the same bits
            try (Tensor host = Tensor.allocate(memory.dtype(), memory.shape())) {
                memory.copyFrom(initializer.fill(host, rng, fanIn, fanOut));
            }
        }
    }

    @Override
    public String toString() {
        return name + "[" + shape + "]";
    }
}
