package io.quern.nn;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A model with memory for its parameters. Close it.
 *
 * <p>All trained parameters lie in one tensor, weights first, then biases and norm parameters, so that an optimizer,
 * a norm or a snapshot takes one call. Each parameter starts at a multiple of 64 bytes; the gaps are zero.
 */
public final class Network implements AutoCloseable {
    private final Sequential model;
    private final Shape inputShape;
    private final Shape outputShape;
    private final Forward forward;
    private final Map<String, Parameter> parameters = new LinkedHashMap<>();
    private final Map<String, Parameter> state = new LinkedHashMap<>();
    private final ParameterBlock trained;
    private final ParameterBlock kept;

    private Network(Layer model, Shape inputShape, Rng rng, DType dtype, Memory memory) {
        this.model = model instanceof Sequential sequential ? sequential : Sequential.of(model);
        this.inputShape = inputShape;
        this.outputShape = model.outputShape(inputShape);
        ParameterScope scope = new ParameterScope();
        this.forward = this.model.build(inputShape, scope);
        List<Parameter> all = scope.parameters();
        all.forEach(p -> (p.trained() ? parameters : state).put(p.name(), p));
        Stream<Parameter> decayed = all.stream().filter(Parameter::decayed);
        Stream<Parameter> others = all.stream().filter(p -> p.trained() && !p.decayed());
        this.trained =
                new ParameterBlock(memory, dtype, Stream.concat(decayed, others).toList());
        try {
            this.kept = new ParameterBlock(memory, dtype, List.copyOf(state.values()));
        } catch (RuntimeException e) {
            trained.close();
            throw e;
        }
        try {
            for (int i = 0; i < all.size(); i++) {
                Parameter parameter = all.get(i);
                ParameterBlock block = parameter.trained() ? trained : kept;
                parameter.bind(block.view(parameter), rng.stream(ParameterScope.INITIAL_VALUES + i));
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** A network of 32-bit floats in host memory. */
    public static Network build(Layer model, Shape inputShape, Rng rng) {
        return build(model, inputShape, rng, Memory.host());
    }

    /** A network of 32-bit floats in the memory of the backend it will run on. */
    public static Network build(Layer model, Shape inputShape, Rng rng, Memory memory) {
        return build(model, inputShape, rng, DType.F32, memory);
    }

    /**
     * @param inputShape per sample, without the batch axis
     * @param rng seed of the initial values; each parameter takes a stream of its own
     * @param memory that of the backend it will run on
     * @throws ArgumentException naming the layer that does not fit its input
     */
    public static Network build(Layer model, Shape inputShape, Rng rng, DType dtype, Memory memory) {
        return new Network(model, inputShape, rng, dtype, memory);
    }

    /** The output for a batch: (n, inputShape) to (n, outputShape). In training, parameters are watched. */
    public Tensor forward(Pass pass, Tensor x) {
        if (x.rank() != inputShape.rank() + 1 || !x.shape().dropFirst(1).equals(inputShape)) {
            throw new ArgumentException("the input is " + x + ", expected a batch of samples of " + inputShape);
        }
        if (pass.training()) {
            parameters.values().forEach(p -> pass.tape().watch(p.value()));
        }
        return forward.apply(pass, x);
    }

    public Sequential model() {
        return model;
    }

    /** The model string, which {@link ModelParser} reads back. */
    public String describe() {
        return model.describe();
    }

    /** Per sample. */
    public Shape inputShape() {
        return inputShape;
    }

    /** Per sample. */
    public Shape outputShape() {
        return outputShape;
    }

    public DType dtype() {
        return trained.values().dtype();
    }

    /** Trained parameters in the order of the model. */
    public List<Parameter> parameters() {
        return List.copyOf(parameters.values());
    }

    /** Running statistics in the order of the model. */
    public List<Parameter> state() {
        return List.copyOf(state.values());
    }

    /** A parameter or state by name. */
    public Parameter parameter(String name) {
        Parameter found = parameters.getOrDefault(name, state.get(name));
        if (found == null) {
            throw new ArgumentException(
                    "no parameter '" + name + "'; there are " + tensors().keySet());
        }
        return found;
    }

    /** Parameters and state by name: what a weights file holds. */
    public Map<String, Tensor> tensors() {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        parameters.values().forEach(p -> tensors.put(p.name(), p.value()));
        state.values().forEach(p -> tensors.put(p.name(), p.value()));
        return tensors;
    }

    /** Number of trained values. */
    public long parameterCount() {
        return parameters.values().stream().mapToLong(p -> p.shape().elements()).sum();
    }

    /** Where the parameters lie. */
    public Memory memory() {
        return trained.values().memory();
    }

    /** All trained parameters as one block. */
    public ParameterBlock trained() {
        return trained;
    }

    /** All state as one block. */
    public ParameterBlock kept() {
        return kept;
    }

    /** A table of layers, output shapes and numbers of parameters. */
    public String summary() {
        return Summary.of(this);
    }

    @Override
    public void close() {
        trained.close();
        kept.close();
    }
}
