package io.quern.cli;

import io.quern.backend.Backend;
import io.quern.cli.run.RunConfig;
import io.quern.cli.run.RunFolder;
import io.quern.nn.ModelParser;
import io.quern.nn.Network;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
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
        Backend backend = options.open(terminal);
        try {
            return new TrainedRun(folder, config, load(folder, config, weights, backend.memory()), backend);
        } catch (RuntimeException e) {
            backend.close();
            throw e;
        }
    }

    private static Network load(RunFolder folder, RunConfig config, Path weights, Memory memory) {
        Network network = build(folder, config, memory);
        try {
            Weights.load(network, weights);
            return network;
        } catch (RuntimeException e) {
            network.close();
            throw e;
        }
    }

    private static Network build(RunFolder folder, RunConfig config, Memory memory) {
        try {
            return Network.build(ModelParser.parse(config.model()), config.inputShape(), Rng.of(0), DType.F32, memory);
        } catch (ArgumentException e) {
            throw new QuernException(
                    folder.config() + " is damaged: " + e.getMessage() + "; restore it from a copy, or train again", e);
        }
    }

    @Override
    public void close() {
        network.close();
        backend.close();
    }
}
