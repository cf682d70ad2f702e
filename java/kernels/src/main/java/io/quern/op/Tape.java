package io.quern.op;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Runs the ops of one step and remembers those that a gradient must flow through.
 *
 * <p>Explanations read the same tape: gradients of any recorded value, relevance by each op's rule.
 */
public final class Tape {
    private final Executor executor;
    private final Workspace workspace;
    private final List<Entry> entries = new ArrayList<>();
    private final Set<Tensor> tracked = Collections.newSetFromMap(new IdentityHashMap<>());

    public Tape(Executor executor, Workspace workspace) {
        this.executor = executor;
        this.workspace = workspace;
    }

    public Executor executor() {
        return executor;
    }

    /** A tensor of this step, with unspecified contents. */
    public Tensor allocate(DType dtype, Shape shape) {
        return workspace.allocate(dtype, shape);
    }

    /** The tensor itself if it lies where this tape computes, with this dtype; otherwise a copy for this step. */
    public Tensor place(Tensor tensor, DType dtype) {
        return tensor.dtype() == dtype && tensor.memory() == executor.memory()
                ? tensor
                : allocate(dtype, tensor.shape()).copyFrom(tensor);
    }

    /** Marks a leaf whose gradient is wanted: a parameter, or an input that is to be explained. */
    public Tensor watch(Tensor leaf) {
        tracked.add(leaf);
        return leaf;
    }

    /** True when the gradient of this tensor is wanted, for itself or on the way to a leaf. */
    public boolean tracks(Tensor tensor) {
        return tensor != null && tracked.contains(tensor);
    }

    /** Runs an op; records it when one of its inputs is tracked. */
    public <A extends OpArgs> void run(Op<A> op, A args) {
        executor.run(op, args);
        if (tracked.isEmpty() || !op.differentiable()) {
            return;
        }
        for (Tensor input : args.inputs()) {
            if (tracked.contains(input)) {
                tracked.addAll(args.outputs());
                entries.add(new Call<>(op, args));
                return;
            }
        }
    }

    /** The same elements under another shape; gradients pass through. */
    public Tensor reshape(Tensor tensor, Shape shape) {
        if (tensor.shape().equals(shape)) {
            return tensor;
        }
        Tensor view = tensor.reshape(shape);
        if (tracked.contains(tensor)) {
            tracked.add(view);
            entries.add(new View(tensor, view));
        }
        return view;
    }

    /** Gradients of a one-element output, usually the loss. */
    public Gradients backward(Tensor output) {
        return backward(output, Map.of());
    }

    /**
     * Gradients of a one-element output, some of them in memory that outlives the step.
     *
     * @param destinations a tensor of equal shape and dtype for each watched tensor whose gradient shall lie there; it is
     *     left as it is when no gradient reaches the watched one
     */
    public Gradients backward(Tensor output, Map<Tensor, Tensor> destinations) {
        if (output.elements() != 1) {
            throw new ArgumentException("backward needs a scalar or a seed gradient, this is " + output);
        }
        Tensor one = allocate(output.dtype(), output.shape());
        executor.run(Fill.OP, new Fill.Args(one, 1));
        return backward(Map.of(output, one), destinations);
    }

    /** Gradients of the sum of output x seed over the given outputs. */
    public Gradients backward(Map<Tensor, Tensor> seeds) {
        return backward(seeds, Map.of());
    }

    private Gradients backward(Map<Tensor, Tensor> seeds, Map<Tensor, Tensor> destinations) {
        Gradients gradients = new Gradients(this, new IdentityHashMap<>(destinations));
        seeds.forEach((output, seed) -> {
            Check.shape(seed, output.shape(), "backward", "seed");
            gradients.share(output, seed);
        });
        for (Entry entry : entries.reversed()) {
            entry.backward(gradients);
        }
        return gradients;
    }

    /** The recorded calls in order of execution, for explanations that walk them by rule. */
    public List<Entry> entries() {
        return Collections.unmodifiableList(entries);
    }

    /** Forgets everything recorded; call at the end of each step, before the workspace is reset. */
    public void clear() {
        entries.clear();
        tracked.clear();
    }

    /** One recorded step. */
    public sealed interface Entry {
        List<Tensor> outputs();

        void backward(Gradients gradients);

        void propagate(PropagationRule rule, Gradients relevance);
    }

    /** A recorded call of an op. */
    public record Call<A extends OpArgs>(Op<A> op, A args) implements Entry {
        @Override
        public List<Tensor> outputs() {
            return args.outputs();
        }

        @Override
        public void backward(Gradients gradients) {
            if (gradients.has(args.outputs().getFirst())) {
                op.backward(args, gradients);
            }
        }

        @Override
        public void propagate(PropagationRule rule, Gradients relevance) {
            op.propagate(rule, args, relevance);
        }
    }

    /** A recorded change of shape. */
    public record View(Tensor base, Tensor view) implements Entry {
        @Override
        public List<Tensor> outputs() {
            return List.of(view);
        }

        @Override
        public void backward(Gradients gradients) {
            if (gradients.has(view)) {
                gradients.share(base, gradients.of(view).reshape(base.shape()));
            }
        }

        @Override
        public void propagate(PropagationRule rule, Gradients relevance) {
            backward(relevance);
        }
    }
}
