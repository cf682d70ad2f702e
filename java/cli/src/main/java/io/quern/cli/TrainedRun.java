package io.quern.cli;

import io.quern.backend.Backend;
import io.quern.cli.run.RunConfig;
import io.quern.cli.run.RunFolder;
import io.quern.nn.ModelParser;
import io.quern.nn.Network;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.QuernException;
import io.quern.tensor.Rng;
import io.quern.train.Weights;
import java.nio.file.Path;

/** A finished run, ready for use: close it. */
record TrainedRun(RunFolder folder, RunConfig config, Network network, Backend backend) implements AutoCloseable {
    static TrainedRun open(Path path, BackendOptions options, Terminal terminal) {
        RunFolder folder = RunFolder.open(path);
        RunConfig config = RunConfig.read(folder.config());
        Path weights = folder.finishedModel();
        Network network = build(folder, config);
        try {
            Weights.load(network, weights);
            return new TrainedRun(folder, config, network, options.open(terminal));
        } catch (RuntimeException e) {
            network.close();
            throw e;
        }
    }

    private static Network build(RunFolder folder, RunConfig config) {
        try {
            return Network.build(ModelParser.parse(config.model()), config.inputShape(), Rng.of(0));
        } catch (ArgumentException e) {
            throw new QuernException(
                    folder.config() + " is damaged: " + e.getMessage() + "; restore it from a copy, or train again", e);
        }
    }

    @Override
    public void close() {
        backend.close();
        network.close();
    }
}
