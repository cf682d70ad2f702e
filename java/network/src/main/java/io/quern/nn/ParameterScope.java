package io.quern.nn;

import io.quern.tensor.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Collects the parameters that layers declare while a network is built, and gives them names and random streams. */
public final class ParameterScope {
    /** Random stream of the first parameter's initial values; one per parameter. Data use streams from 2^30 on. */
    static final int INITIAL_VALUES = 1 << 28;
    /** Random stream of the first dropout layer; one per layer. */
    static final int DROPOUT = 2 << 28;

    private final Root root;
    private final String prefix;
    private final Map<String, Integer> counts = new HashMap<>();

    private static final class Root {
        private final List<Parameter> parameters = new ArrayList<>();
        private int dropouts;
    }

    ParameterScope() {
        this(new Root(), "");
    }

    private ParameterScope(Root root, String prefix) {
        this.root = root;
        this.prefix = prefix;
    }

    /** A scope for the next layer of a kind: the second {@code conv} gets the prefix {@code conv2.}. */
    public ParameterScope child(String kind) {
        return new ParameterScope(root, prefix + kind + counts.merge(kind, 1, Integer::sum) + ".");
    }

    /** A matrix or filter bank. */
    public Parameter weight(Shape shape, Initializer initializer, long fanIn, long fanOut) {
        return add("weight", shape, Parameter.Role.WEIGHT, initializer, fanIn, fanOut);
    }

    /** An offset, zero at first. */
    public Parameter bias(Shape shape) {
        return add("bias", shape, Parameter.Role.BIAS, Initializer.ZEROS, 1, 1);
    }

    /** A scale or shift of a normalisation. */
    public Parameter norm(String name, Shape shape, Initializer initializer) {
        return add(name, shape, Parameter.Role.NORM, initializer, 1, 1);
    }

    /** A tensor that is updated by forward passes in training, not by the optimizer. */
    public Parameter state(String name, Shape shape, Initializer initializer) {
        return add(name, shape, Parameter.Role.STATE, initializer, 1, 1);
    }

    private Parameter add(
            String name, Shape shape, Parameter.Role role, Initializer initializer, long fanIn, long fanOut) {
        Parameter parameter = new Parameter(prefix + name, shape, role, initializer, fanIn, fanOut);
        root.parameters.add(parameter);
        return parameter;
    }

    /** A random stream for a layer that draws in every step. */
    public int dropoutStream() {
        return DROPOUT + root.dropouts++;
    }

    /** Everything declared so far, in order. */
    List<Parameter> parameters() {
        return root.parameters;
    }
}
