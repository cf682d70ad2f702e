package io.quern.nn;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One tensor that holds a value for every element of some parameters: the parameters themselves, their gradients, or an
 * optimizer's memory. Each parameter has its window; weights that decay come first.
 */
public final class ParameterBlock implements AutoCloseable {
    private final Memory memory;
    private final List<Parameter> parameters;
    private final Map<Parameter, Long> offsets = new LinkedHashMap<>();
    private final Tensor values;
    private final long decayedElements;

    ParameterBlock(Memory memory, DType dtype, List<Parameter> parameters) {
        this.memory = memory;
        this.parameters = parameters;
        long lanes = Memory.ALIGNMENT / dtype.bytes();
        long end = 0;
        long decayed = 0;
        for (Parameter parameter : parameters) {
            offsets.put(parameter, end);
            end += (parameter.shape().elements() + lanes - 1) / lanes * lanes;
            decayed = parameter.decayed() ? end : decayed;
        }
        this.decayedElements = decayed;
        this.values = Tensor.allocate(memory, dtype, Shape.of(end));
    }

    /** A block of the same layout, zero everywhere; close it. */
    public ParameterBlock zeros() {
        return new ParameterBlock(memory, values.dtype(), parameters);
    }

    /** A block of the same layout with the same values; close it. */
    public ParameterBlock copy() {
        ParameterBlock copy = zeros();
        try {
            copy.copyFrom(this);
            return copy;
        } catch (RuntimeException e) {
            copy.close();
            throw e;
        }
    }

    /** Takes the values of a block of the same layout. */
    public void copyFrom(ParameterBlock source) {
        values.copyFrom(source.values);
    }

    public List<Parameter> parameters() {
        return parameters;
    }

    /** The window of one parameter. */
    public Tensor view(Parameter parameter) {
        Long offset = offsets.get(parameter);
        if (offset == null) {
            throw new ArgumentException("parameter " + parameter + " belongs to another network");
        }
        return values.slice(0, offset, offset + parameter.shape().elements()).reshape(parameter.shape());
    }

    /** The windows by parameter name, in order. */
    public Map<String, Tensor> views() {
        Map<String, Tensor> views = new LinkedHashMap<>();
        parameters.forEach(p -> views.put(p.name(), view(p)));
        return views;
    }

    /** Everything, with gaps. */
    public Tensor values() {
        return values;
    }

    /** The part that decays: matrices and filters. */
    public Tensor decayed() {
        return values.slice(0, 0, decayedElements);
    }

    /** The part that does not: biases and norm parameters. */
    public Tensor undecayed() {
        return values.slice(0, decayedElements, values.elements());
    }

    @Override
    public void close() {
        values.close();
    }
}
