package io.quern.train;

import io.quern.nn.Network;
import io.quern.nn.ParameterBlock;
import io.quern.op.Executor;
import io.quern.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** What an optimizer remembers of a network's parameters; one block per slot. Close it. */
final class OptimizerMemory implements AutoCloseable {
    private final Optimizer optimizer;
    private final ParameterBlock parameters;
    private final Map<String, ParameterBlock> slots = new LinkedHashMap<>();

    OptimizerMemory(Optimizer optimizer, Network network) {
        this.optimizer = optimizer;
        this.parameters = network.trained();
        try {
            optimizer.slots().forEach(slot -> slots.put(slot, parameters.zeros()));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Moves all parameters, in one call for those that decay and one for the others. */
    void update(Executor executor, ParameterBlock gradients, double rate, long step) {
        update(executor, gradients, ParameterBlock::decayed, rate, optimizer.weightDecay(), step);
        update(executor, gradients, ParameterBlock::undecayed, rate, 0, step);
    }

    private void update(
            Executor executor,
            ParameterBlock gradients,
            Function<ParameterBlock, Tensor> part,
            double rate,
            double decay,
            long step) {
        Tensor values = part.apply(parameters);
        if (values.elements() > 0) {
            List<Tensor> memory = slots.values().stream().map(part).toList();
            optimizer.update(executor, values, part.apply(gradients), memory, rate, decay, step);
        }
    }

    /** Every slot by name. */
    Map<String, ParameterBlock> slots() {
        return slots;
    }

    @Override
    public void close() {
        slots.values().forEach(ParameterBlock::close);
    }
}
