package io.quern.train;

import io.quern.nn.Network;

/** Trains a network. */
public final class Trainer implements AutoCloseable {
    private final Network network;

    Trainer(Network network) {
        this.network = network;
    }

    public Network network() {
        return network;
    }

    @Override
    public void close() {}
}
