package io.quern.train;

import io.quern.nn.Network;
import io.quern.nn.ParameterBlock;
import io.quern.tensor.Tensor;
import java.util.Map;
import java.util.TreeMap;

/** A copy of a network's parameters and state, taken and given back without allocation. Close it. */
final class Snapshot implements AutoCloseable {
    private final Network network;
    private final ParameterBlock trained;
    private final ParameterBlock kept;

    Snapshot(Network network) {
        this.network = network;
        this.trained = network.trained().copy();
        try {
            this.kept = network.kept().copy();
        } catch (RuntimeException e) {
            trained.close();
            throw e;
        }
    }

    void take() {
        trained.copyFrom(network.trained());
        kept.copyFrom(network.kept());
    }

    void giveBack() {
        network.trained().copyFrom(trained);
        network.kept().copyFrom(kept);
    }

    /** The copies by name. */
    Map<String, Tensor> tensors() {
        Map<String, Tensor> tensors = new TreeMap<>(trained.views());
        tensors.putAll(kept.views());
        return tensors;
    }

    @Override
    public void close() {
        trained.close();
        kept.close();
    }
}
